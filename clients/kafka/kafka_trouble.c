/*
 * kafka_trouble.c - what a client complains of, said once.
 *
 * librdkafka repeats itself: every attempt to connect, to each broker, several
 * times a second, as an error and as a log line.  An operator needs one line
 * when something begins, one a minute while it lasts, and one when it is over.
 * So errors are explained (kafka_errors.c) and compared with what was said
 * last; log lines only show when somebody asked for debugging, but for what a
 * certificate failed on, which is nowhere else.
 *
 * Threads: that of the producer; callbacks come out of the client's queues
 * (`log.queue`), never from its threads.
 */
#include "kafka_trouble.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"

enum { BURST = 5, REPEAT_S = 60 };

static void say(struct kafka_trouble *trouble)
{
    const int64_t now = clock_now_us();
    unsigned suppressed = 0;

    if (strcmp(trouble->said, trouble->text) == 0 &&
        now < trouble->quiet_until_us)
        return;
    if (!log_limit_pass(&trouble->limit, BURST, &suppressed))
        return;
    log_write(WEIR_LOG_WARNING, "kafka: %s", trouble->text);
    memcpy(trouble->said, trouble->text, sizeof trouble->said);
    trouble->quiet_until_us = now + REPEAT_S * CLOCK_SECOND_US;
}

void kafka_trouble_note(struct kafka_trouble *trouble, rd_kafka_resp_err_t code,
                        const char *reason)
{
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        trouble->is_cut_off = true;
        return; /* why, was said for each of them */
    }
    trouble->is_fatal |= kafka_errors_status(code) == WEIR_FATAL;
    if (trouble->tls[0] && strstr(reason, "certificate verify failed"))
        reason = trouble->tls;
    kafka_errors_explain(code, reason, &trouble->access, trouble->text,
                         sizeof trouble->text);
    say(trouble);
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    (void)rk;
    kafka_trouble_note(opaque, (rd_kafka_resp_err_t)code, reason);
}

/* Most of it is for the client's developers. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility,
                   const char *line)
{
    struct kafka_trouble *trouble = rd_kafka_opaque(rk);
    const char *found = strstr(line, "certificate verify failed");

    (void)level;
    if (found)
        (void)snprintf(trouble->tls, sizeof trouble->tls, "%.150s", found);
    log_write(WEIR_LOG_DEBUG, "librdkafka: %s: %s", facility, line);
}

void kafka_trouble_listen(struct kafka_trouble *trouble, rd_kafka_conf_t *conf)
{
    rd_kafka_conf_set_opaque(conf, trouble);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_log_cb(conf, on_log);
}

void kafka_trouble_clear(struct kafka_trouble *trouble)
{
    if (!trouble->text[0])
        return;
    trouble->is_cut_off = false;
    trouble->text[0] = '\0';
    if (trouble->said[0]) {
        trouble->said[0] = '\0';
        log_write(WEIR_LOG_INFO, "kafka: connected to '%s' again",
                  trouble->access.brokers);
    }
}
