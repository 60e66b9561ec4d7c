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

static const char certificate_failure[] = "certificate verify failed";

enum { BURST = 5, REPEAT_S = 60 };

/* Alike up to what was tried: behind it are brokers' names and times. */
static bool is_said(const struct kafka_trouble *trouble)
{
    const size_t size = strcspn(trouble->text, "(");

    return strncmp(trouble->said, trouble->text, size) == 0;
}

static void say(struct kafka_trouble *trouble)
{
    const int64_t now = clock_now_us();
    unsigned suppressed = 0;

    if (trouble->is_silent)
        return;
    if (is_said(trouble) && now < trouble->quiet_until_us)
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
    if (trouble->tls[0] && strstr(reason, certificate_failure))
        reason = trouble->tls;
    if (trouble->has_worked && code == RD_KAFKA_RESP_ERR__TRANSPORT)
        (void)snprintf(
            trouble->text, sizeof trouble->text,
            "connection lost, connecting again (brokers '%.150s'): %s",
            trouble->access.brokers, reason);
    else
        kafka_errors_explain(code, reason, &trouble->access, trouble->text,
                             sizeof trouble->text);
    say(trouble);
}

void kafka_trouble_ask(struct kafka_trouble *trouble, rd_kafka_t *rk)
{
    char why[300];
    const rd_kafka_resp_err_t code = rd_kafka_fatal_error(rk, why, sizeof why);

    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    trouble->is_fatal = true;
    kafka_trouble_note(trouble, code, why);
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    if (code == RD_KAFKA_RESP_ERR__FATAL)
        kafka_trouble_ask(opaque, rk);
    else
        kafka_trouble_note(opaque, (rd_kafka_resp_err_t)code, reason);
}

/* Most of it is for the client's developers. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility,
                   const char *line)
{
    struct kafka_trouble *trouble = rd_kafka_opaque(rk);
    const char *found = strstr(line, certificate_failure);

    (void)level;
    if (found && strcmp(facility, "SSLCERTVRFY") == 0)
        (void)snprintf(trouble->tls, sizeof trouble->tls, "%.150s", found);
    log_write(WEIR_LOG_DEBUG, "librdkafka: %s: %s", facility, line);
}

/* OpenSSL's codes, which are fixed; what isn't here is a matter of trust. */
static const char *certificate_error(int code)
{
    switch (code) {
    case 9:
        return "certificate is not valid yet";
    case 10:
        return "certificate has expired";
    case 62:
        return "hostname mismatch";
    case 64:
        return "IP address mismatch";
    default:
        return "nobody in `tls.ca` has signed it";
    }
}

/*
 * OpenSSL's reason is told to nobody but us; the library logs what we make of
 * it.  The only callback that runs on a thread of the client: it touches
 * nothing of ours.
 */
/* NOLINTNEXTLINE(readability-function-size): its parameters are given. */
static int on_certificate(rd_kafka_t *rk, const char *broker, int32_t id,
                          int *error, int depth, const char *certificate,
                          size_t size, char *why, size_t why_size, void *opaque)
{
    (void)rk;
    (void)broker;
    (void)id;
    (void)depth;
    (void)certificate;
    (void)size;
    (void)opaque;
    if (*error == 0)
        return 1;
    (void)snprintf(why, why_size, "%s: %s", certificate_failure,
                   certificate_error(*error));
    return 0;
}

void kafka_trouble_listen(struct kafka_trouble *trouble, rd_kafka_conf_t *conf)
{
    rd_kafka_conf_set_opaque(conf, trouble);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_log_cb(conf, on_log);
    (void)rd_kafka_conf_set_ssl_cert_verify_cb(conf, on_certificate);
}

void kafka_trouble_clear(struct kafka_trouble *trouble)
{
    trouble->has_worked = true;
    trouble->is_cut_off = false;
    if (!trouble->text[0])
        return;
    trouble->text[0] = '\0';
    if (trouble->said[0]) {
        trouble->said[0] = '\0';
        log_write(WEIR_LOG_INFO, "kafka: connected to '%s' again",
                  trouble->access.brokers);
    }
}
