/*
 * tap.c - weir tap: messages of a running weir, as they end.
 *
 * It asks again and again, a few times a second, and prints what came since;
 * nothing is held open between two questions.  Messages go to standard output;
 * how many more there were goes to standard error, once a second at most.
 *
 * Threads: none.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "arguments.h"
#include "ask.h"
#include "clock.h"
#include "figure.h"
#include "page.h"
#include "tap_view.h"
#include "verb.h"

enum { INTERVAL_MS = 200, RATE_MAX = 1000, PATH_SIZE = 256 };

struct tap_values {
    struct ask_options asking;
    const char *format, *outcomes;
    int64_t rate, count;
    bool has_payload;
};

static const struct argument tap_options[] = {
    ASK_OPTION_ADDRESS(struct tap_values),
    ASK_OPTION_CA(struct tap_values),
    {"--format", "FORMAT", ARGUMENT_TEXT, offsetof(struct tap_values, format),
     "text, or json: an object a line (text)"},
    {"--rate", "COUNT", ARGUMENT_INT, offsetof(struct tap_values, rate),
     "messages a second, at most (10)"},
    {"--count", "COUNT", ARGUMENT_INT, offsetof(struct tap_values, count),
     "ends after so many (it goes on until weir ends)"},
    {"--outcomes", "LIST", ARGUMENT_TEXT, offsetof(struct tap_values, outcomes),
     "only these, with commas (all of them)"},
    {"--payload", NULL, ARGUMENT_FLAG, offsetof(struct tap_values, has_payload),
     "keys and payloads, too; needs --token-file"},
    {"--token-file", "FILE", ARGUMENT_TEXT,
     offsetof(struct tap_values, asking.token_file),
     "whose first line is the topology's admin.token"},
    {0},
};

struct tapping {
    const struct tap_values *values;
    struct ask *ask;
    bool is_json, is_over;
    json_int_t id;       /* 0: not begun */
    int64_t shown;       /* so far */
    json_int_t left_out; /* and not said */
    int64_t said_us;     /* the last time */
    char outcomes[PATH_SIZE / 2];
};

/* ---- one answer ---- */

static void print(struct tapping *tapping, const json_t *message)
{
    if (tapping->is_json) {
        /* Escaped beyond ASCII, so that a terminal obeys nothing of it. */
        (void)json_dumpf(message, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
        (void)fputc('\n', stdout);
    } else {
        tap_view(message, stdout);
    }
    tapping->shown++;
    tapping->is_over =
        tapping->values->count > 0 && tapping->shown >= tapping->values->count;
}

static void say_left_out(struct tapping *tapping, int64_t now_us)
{
    struct figure text;

    if (tapping->left_out == 0 || now_us - tapping->said_us < CLOCK_SECOND_US)
        return;
    (void)fprintf(stderr, "weir tap: %s more were left out\n",
                  figure(&text, (uint64_t)tapping->left_out));
    tapping->left_out = 0;
    tapping->said_us = now_us;
}

/* An exit code. */
static int show(struct tapping *tapping, const json_t *page)
{
    const json_t *messages = json_object_get(page, "messages");

    for (size_t i = 0; i < json_array_size(messages) && !tapping->is_over; i++)
        print(tapping, json_array_get(messages, i));
    tapping->id = page_number(page, "tap");
    tapping->left_out += page_number(page, "left_out");
    if (fflush(stdout) != 0) {
        (void)fprintf(stderr, "weir tap: cannot write: %s\n", strerror(errno));
        return VERB_EXIT_FAILED;
    }
    say_left_out(tapping, clock_now_us());
    return VERB_EXIT_OK;
}

static int refuse(const struct tapping *tapping, const struct ask_reply *reply,
                  const json_t *page)
{
    (void)fputs("weir tap: ", stderr);
    if (page_text(page, "error")[0] && reply->status != 404)
        page_print(stderr, page_text(page, "error"));
    else
        (void)fprintf(stderr,
                      "%s answers %d to this: it is no weir, or an older one",
                      ask_address(tapping->ask), reply->status);
    (void)fputc('\n', stderr);
    return reply->status == 400 ? VERB_EXIT_USAGE : VERB_EXIT_UNAVAILABLE;
}

/* Who has seen something, and wants no certain number, has seen its end. */
static int end(struct tapping *tapping, const struct weir_error *err)
{
    tapping->is_over = true;
    (void)fprintf(stderr, "weir tap: %s%s\n",
                  tapping->id != 0 ? "it has ended: " : "", err->text);
    return tapping->id != 0 && tapping->values->count == 0
               ? VERB_EXIT_OK
               : VERB_EXIT_UNAVAILABLE;
}

/* An exit code; it goes on while that is 0 and it isn't over. */
static int look(struct tapping *tapping)
{
    char path[PATH_SIZE + 64];
    struct ask_reply reply;
    struct weir_error err;
    json_t *page;
    int code;

    (void)snprintf(path, sizeof path, "/api/v1/tap?rate=%lld%s%s%s&tap=%lld",
                   (long long)tapping->values->rate,
                   tapping->outcomes[0] ? "&outcomes=" : "", tapping->outcomes,
                   tapping->values->has_payload ? "&payload=true" : "",
                   (long long)tapping->id);
    if (ask(tapping->ask, path, &reply, &err) != WEIR_OK)
        return end(tapping, &err);
    page = json_loads(reply.body, 0, NULL);
    if (reply.status == 200 && json_is_object(page))
        code = show(tapping, page);
    else
        code = refuse(tapping, &reply, page);
    json_decref(page);
    return code;
}

/* ---- the verb ---- */

/* NULL, or what is wrong. */
static const char *check(const struct tap_values *values,
                         struct tapping *tapping)
{
    const char *outcomes = values->outcomes ? values->outcomes : "";

    if (strcmp(values->format, "json") != 0 &&
        strcmp(values->format, "text") != 0)
        return "--format is text or json";
    if (values->rate < 1 || values->rate > RATE_MAX)
        return "--rate is 1 to 1000 messages a second";
    if (values->count < 0)
        return "--count is a number of messages";
    if (values->has_payload && !values->asking.token_file)
        return "--payload needs the token: --token-file";
    if (strlen(outcomes) >= sizeof tapping->outcomes ||
        strspn(outcomes, "abcdefghijklmnopqrstuvwxyz_,") != strlen(outcomes))
        return "--outcomes is a list of outcomes, with commas";
    tapping->is_json = strcmp(values->format, "json") == 0;
    (void)snprintf(tapping->outcomes, sizeof tapping->outcomes, "%s", outcomes);
    return NULL;
}

static int tap_run(const struct verb *verb, const struct call *call)
{
    struct tap_values values = {
        .asking.timeout_us = 5 * CLOCK_SECOND_US, .format = "text", .rate = 10};
    struct tapping tapping = {.values = &values};
    struct argument_texts operands;
    struct weir_error err;
    const char *wrong;
    int code;

    if (arguments_parse(verb, call, &values, &operands) != WEIR_OK)
        return VERB_EXIT_USAGE;
    wrong = check(&values, &tapping);
    if (wrong)
        return usage_error(verb, "%s", wrong);
    if (ask_open(&values.asking, &tapping.ask, &err) != WEIR_OK)
        return usage_error(verb, "%s", err.text);
    code = look(&tapping);
    while (code == VERB_EXIT_OK && !tapping.is_over) {
        (void)poll(NULL, 0, INTERVAL_MS);
        code = look(&tapping);
    }
    tapping.said_us = 0;
    say_left_out(&tapping, clock_now_us());
    ask_close(tapping.ask);
    return code;
}

const struct verb verb_tap = {
    .name = "tap",
    .operands = "",
    .summary = "shows messages of a running weir, as they end",
    .text = "A sample: the outcome of each (done, retried, rejected, "
            "dead_lettered, requeued,\nabandoned), the time since it was taken "
            "in, and why it failed.  It costs the run\nlittle, and delays no "
            "message; how many more there were is said.  Exit code 69:\nnobody "
            "answers, or no longer, before --count was reached.\n",
    .example = "  weir tap\n"
               "  weir tap --outcomes rejected,dead_lettered --count 5\n"
               "  weir tap --payload --token-file /run/secrets/token --format "
               "json | jq .payload\n",
    .options = tap_options,
    .run = tap_run,
};
