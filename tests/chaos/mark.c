/*
 * mark.c - a handler that signs what it handles, for the chaos suite.
 *
 * The payload, a number, becomes a line of which every part is checked:
 *
 *     00000042 b3 again .
 *
 * `b3` is the owner that the topology names (one per process), `again` or
 * `first` what the broker said, and the full stop shows that nothing is torn.
 * Options: owner, delay (each message takes so long), gate (a path: while that
 * file is there, handling stands still).
 *
 * Threads: the workers', each with its own state.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <weir/handler.h>

enum { LINE_SIZE = 128, GATE_US = 5000 };

struct mark {
    int64_t delay_us;
    const char *owner, *gate;
};

static void wait_us(int64_t us)
{
    struct timespec rest = {us / 1000000, us % 1000000 * 1000};

    while (nanosleep(&rest, &rest) != 0)
        continue;
}

static const char *said(const struct weir_message *msg)
{
    const struct weir_bytes again = weir_message_property(msg, "redelivered");

    if (weir_message_deliveries(msg) > 0)
        return "again";
    return again.size == 4 && memcmp(again.data, "true", 4) == 0 ? "again"
                                                                 : "first";
}

static enum weir_status handle_message(struct weir_message *msg, void *state)
{
    const struct mark *mark = state;
    const struct weir_bytes payload = weir_message_payload(msg);
    char line[LINE_SIZE];
    int size = 0;

    while (mark->gate && access(mark->gate, F_OK) == 0)
        wait_us(GATE_US);
    if (mark->delay_us > 0)
        wait_us(mark->delay_us);
    size = snprintf(line, sizeof(line), "%.*s %s %s .", (int)payload.size,
                    (const char *)payload.data, mark->owner, said(msg));
    if (size < 0 || size >= LINE_SIZE)
        return weir_message_reject(msg, "not one of ours");
    return weir_message_set_payload(msg,
                                    (struct weir_bytes){line, (size_t)size});
}

static enum weir_status init(const struct weir_worker *worker,
                             const struct weir_settings *options,
                             void **ret_state, struct weir_error *err)
{
    struct mark *mark = malloc(sizeof(*mark));

    (void)worker;
    if (!mark)
        return weir_fail(err, WEIR_RETRY, "out of memory");
    *mark = (struct mark){
        .delay_us = weir_settings_int(options, "delay", 0),
        .owner = weir_settings_string(options, "owner"),
        .gate = weir_settings_string(options, "gate"),
    };
    if (!mark->owner)
        mark->owner = "nobody";
    *ret_state = mark;
    return WEIR_OK;
}

static void terminate(void *state)
{
    free(state);
}

WEIR_HANDLER(mark, .init = init, .handle_message = handle_message,
             .terminate = terminate);
