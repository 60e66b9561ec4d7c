/*
 * try.c - weir try: lines through a topology's handler, without a broker.
 *
 *     line -> record -> runner (prepare, handle) -> one JSON object
 *
 * The handler runs as in a pipeline: through the same runner, on a real
 * message, so what it answers means the same.  There is one worker, one message
 * at a time, and no second attempt: a retry is an outcome to look at.
 *
 * Threads: none.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "json.h"
#include "lines.h"
#include "loaded.h"
#include "log.h"
#include "pipeline.h"
#include "runner.h"
#include "verb.h"

struct attempt {
    const struct topology *topology;
    struct run run;
    struct runner runner;
    struct origin origin;
    struct epoch epoch;
    struct buffer out;
    uint64_t number; /* of the line, from 0 */
};

static const char *const outcome_names[WEIR_STATUS_COUNT] = {
    [WEIR_OK] = "ok",         [WEIR_DONE] = "done",   [WEIR_RETRY] = "retry",
    [WEIR_REJECT] = "reject", [WEIR_FATAL] = "fatal",
};

static const char *batcher_of(const struct weir_message *msg)
{
    return msg->changes && msg->changes->batcher ? msg->changes->batcher
                                                 : "default";
}

static bool has_batcher(const struct topology *topology, const char *name)
{
    for (size_t i = 0; i < topology->batcher_count; i++)
        if (strcmp(topology->batchers[i].name, name) == 0)
            return true;
    return false;
}

/* What a pipeline would make of the handler's answer. */
static enum weir_status judge(struct attempt *attempt, struct weir_message *msg,
                              enum weir_status answer)
{
    struct context *context = &attempt->runner.context;
    const char *batcher = batcher_of(msg);

    if (answer == WEIR_STATUS_COUNT)
        return WEIR_REJECT;
    if (answer == WEIR_REJECT && !msg->reason)
        message_set_reason(msg, context, "rejected by the handler");
    if (answer != WEIR_OK || attempt->topology->batcher_count == 0 ||
        has_batcher(attempt->topology, batcher))
        return answer;
    message_set_reason(msg, context, "routed to '%s', which is no batcher",
                       batcher);
    return WEIR_REJECT;
}

static void write_outcome(struct attempt *attempt, struct weir_message *msg,
                          enum weir_status status)
{
    struct buffer *out = &attempt->out;
    const bool has_sink =
        status == WEIR_OK && attempt->topology->batcher_count > 0;

    if (status != WEIR_OK && status != WEIR_DONE)
        message_forget_changes(msg);
    buffer_append_text(out, "{");
    json_append_bytes(out, "outcome", weir_str(outcome_names[status]));
    buffer_append_text(out, ",");
    json_append_bytes(out, "reason", weir_str(msg->reason));
    buffer_append_text(out, ",");
    json_append_bytes(out, "batcher",
                      weir_str(has_sink ? batcher_of(msg) : NULL));
    buffer_append_text(out, ",");
    json_append_bytes(out, "batch_key", weir_message_batch_key(msg));
    buffer_append_text(out, ",");
    json_append_bytes(out, "payload", weir_message_payload(msg));
    buffer_append_text(out, "}\n");
}

static enum weir_status handle(struct attempt *attempt,
                               struct weir_message *msg)
{
    enum weir_status answer = WEIR_OK;
    struct hand hand = {.messages = {msg}, .count = 1};

    msg->epoch = &attempt->epoch;
    msg->ticket = attempt->number;
    if (msg->record->is_omitted) {
        message_set_reason(msg, &attempt->runner.context,
                           "%llu bytes, more than max_message_bytes",
                           (unsigned long long)msg->record->omitted);
        return WEIR_REJECT;
    }
    (void)runner_run(&attempt->runner, &hand, 1, &answer);
    return judge(attempt, msg, answer);
}

/* One line, to its outcome. */
static enum weir_status try_line(struct attempt *attempt,
                                 struct weir_bytes line, size_t omitted)
{
    const struct weir_record record = {
        .ticket = attempt->number,
        .offset = -1,
        .timestamp_ms = -1,
        .payload = line,
        .omitted = omitted,
    };
    const size_t size = record_size(&record);
    struct chunk *chunk = chunk_create(&attempt->run, 0, 1, size);
    struct weir_message *msg = chunk ? chunk_add(chunk, &record, size) : NULL;
    enum weir_status status = WEIR_FATAL;

    if (msg) {
        status = handle(attempt, msg);
        write_outcome(attempt, msg, status);
        if (msg->arena)
            arena_release(msg->arena, 1);
    }
    runner_release(&attempt->runner);
    chunk_destroy(&attempt->run, chunk);
    attempt->number++;
    if (!msg || attempt->out.is_failed) {
        (void)fprintf(stderr, "weir try: no memory\n");
        return WEIR_FATAL;
    }
    (void)fwrite(attempt->out.data, 1, attempt->out.size, stdout);
    (void)fflush(stdout);
    buffer_clear(&attempt->out);
    return status;
}

/* False: standard input can't be read. */
static bool read_more(struct lines *lines, bool *ret_is_end)
{
    size_t size;
    char *space = lines_space(lines, &size);
    ssize_t got;

    do
        got = read(STDIN_FILENO, space, size);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return false;
    if (got == 0)
        lines_end(lines);
    else
        lines_added(lines, (size_t)got);
    *ret_is_end = got == 0;
    return true;
}

static int try_lines(struct attempt *attempt, struct lines *lines)
{
    struct weir_bytes line;
    bool is_end = false;
    size_t omitted;

    for (;;) {
        while (lines_peek(lines, &line, &omitted)) {
            if (try_line(attempt, line, omitted) == WEIR_FATAL)
                return PIPELINE_EXIT_GAVE_UP;
            lines_take(lines);
        }
        if (is_end)
            return VERB_EXIT_OK;
        if (!read_more(lines, &is_end)) {
            (void)fprintf(stderr, "weir try: cannot read: %s\n",
                          strerror(errno));
            return VERB_EXIT_FAILED;
        }
    }
}

static int try_loaded(const struct loaded *loaded)
{
    char source[] = "stdin";
    const struct topology *topology = loaded->topology;
    const struct weir_worker worker = {.index = 0, .count = 1};
    struct lines *lines = lines_create(topology->producer.max_message_bytes);
    struct attempt attempt = {
        .topology = topology,
        .run = {.name = topology->name, .budget = {.limit = topology->memory}},
        .origin = {.topic = source, .partition = -1},
    };
    struct weir_error err;
    int code = PIPELINE_EXIT_CONFIG;

    attempt.epoch.origin = &attempt.origin;
    runner_init(&attempt.runner, &attempt.run, loaded->handler,
                topology->processors.handler.options);
    if (!lines) {
        (void)fprintf(stderr, "weir try: no memory\n");
        return VERB_EXIT_FAILED;
    }
    if (runner_start(&attempt.runner, &worker, &err) == WEIR_OK)
        code = try_lines(&attempt, lines);
    else
        (void)fprintf(stderr, "weir try: the handler's init failed: %s\n",
                      err.text);
    runner_stop(&attempt.runner);
    runner_release(&attempt.runner);
    buffer_finish(&attempt.out);
    lines_destroy(lines);
    return code;
}

struct try_values {
    struct loaded_options topology;
};

static const struct argument try_options[] = {
    LOADED_SET_OPTION(struct try_values),
    {0},
};

static int try_run(const struct verb *verb, const struct call *call)
{
    struct try_values values = {.topology = {.until_end = false}};
    struct argument_texts operands;
    struct loaded loaded;
    int code;

    if (arguments_parse(verb, call, &values, &operands) != WEIR_OK)
        return VERB_EXIT_USAGE;
    if (loaded_open_file(call, operands.list[0], &values.topology, &loaded) !=
        WEIR_OK)
        return VERB_EXIT_CONFIG;
    log_set_level(loaded.topology->log_level);
    code = try_loaded(&loaded);
    loaded_close(&loaded);
    return code;
}

const struct verb verb_try = {
    .name = "try",
    .operands = "FILE",
    .summary = "standard input's lines through a topology's handler",
    .text = "Neither the producer nor a sink is used.  One JSON object a line "
            "says what became\nof it: outcome (ok, done, retry, reject, "
            "fatal), reason, batcher, batch_key and\npayload (payload_base64 "
            "when it isn't UTF-8).\n",
    .example = "  printf 'one\\ntwo\\n' | weir try topology.yaml\n",
    .options = try_options,
    .operand_min = 1,
    .operand_max = 1,
    .run = try_run,
};
