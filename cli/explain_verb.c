/*
 * explain_verb.c - weir explain: asks a running weir what holds it up.
 *
 * Threads: none.
 */
#include <stddef.h>

#include "arguments.h"
#include "ask.h"
#include "clock.h"
#include "explain.h"
#include "verb.h"

struct explain_values {
    struct ask_options asking;
    bool is_json;
};

static const struct argument explain_options[] = {
    ASK_OPTION_ADDRESS(struct explain_values),
    ASK_OPTION_CA(struct explain_values),
    {"--json", NULL, ARGUMENT_FLAG, offsetof(struct explain_values, is_json),
     "prints what it answered, for programs"},
    {"--timeout", "DURATION", ARGUMENT_DURATION,
     offsetof(struct explain_values, asking.timeout_us), "for all of it (5s)"},
    {0},
};

static int show(const struct ask_reply *reply, const char *address,
                bool is_json)
{
    json_t *page = NULL;

    if (reply->status == 200)
        page = json_loads(reply->body, 0, NULL);
    if (!json_is_object(page)) {
        (void)fprintf(stderr,
                      "weir explain: %s answers %d, which is no explanation: "
                      "it is no weir, or an older one\n",
                      address, reply->status);
        json_decref(page);
        return VERB_EXIT_UNAVAILABLE;
    }
    if (is_json)
        (void)printf("%s\n", reply->body);
    else
        explain(page, stdout);
    json_decref(page);
    return fflush(stdout) == 0 ? VERB_EXIT_OK : VERB_EXIT_FAILED;
}

static int explain_run(const struct verb *verb, const struct call *call)
{
    struct explain_values values = {.asking.timeout_us = 5 * CLOCK_SECOND_US};
    struct argument_texts operands;
    struct ask_reply reply = {.status = 0};
    struct ask *ask;
    int code;

    if (arguments_parse(verb, call, &values, &operands) != WEIR_OK)
        return VERB_EXIT_USAGE;
    code = ask_page(verb, &values.asking, "/api/v1/explain", &ask, &reply);
    if (code == VERB_EXIT_OK)
        code = show(&reply, ask_address(ask), values.is_json);
    ask_close(ask);
    return code;
}

const struct verb verb_explain = {
    .name = "explain",
    .operands = "",
    .summary = "says what holds up a running weir, and what to do",
    .text = "For each partition or queue: the commit position, the message "
            "that holds it, in\nwhich stage and since when, its attempts and "
            "last error; for each mailbox who\nwaits for whom.  Exit code 69: "
            "nobody answers.  A weir answers where its topology\nhas `admin:`, "
            "or where WEIR_ADMIN is set.\n",
    .example = "  weir explain\n"
               "  weir explain --address 127.0.0.1:9999\n"
               "  weir explain --json | jq '.sources[] | select(.hold)'\n",
    .options = explain_options,
    .run = explain_run,
};
