/*
 * health.c - weir health: asks a running weir whether it does its work.
 *
 * Threads: none.
 */
#include <stddef.h>
#include <stdio.h>

#include "arguments.h"
#include "ask.h"
#include "clock.h"
#include "verb.h"

struct health_values {
    struct ask_options asking;
    bool is_live;
};

static const struct argument health_options[] = {
    ASK_OPTION_ADDRESS(struct health_values),
    ASK_OPTION_CA(struct health_values),
    {"--live", NULL, ARGUMENT_FLAG, offsetof(struct health_values, is_live),
     "asks whether its threads go on, and not whether it is ready"},
    {"--timeout", "DURATION", ARGUMENT_DURATION,
     offsetof(struct health_values, asking.timeout_us), "for all of it (5s)"},
    {0},
};

static int judge(const struct ask_reply *reply, const char *address)
{
    if (reply->status != 200 && reply->status != 503) {
        (void)fprintf(stderr,
                      "weir health: what listens on %s answers something else "
                      "than a weir does\n",
                      address);
        return VERB_EXIT_UNAVAILABLE;
    }
    (void)fputs(reply->body, stdout);
    return reply->status == 200 ? VERB_EXIT_OK : VERB_EXIT_UNAVAILABLE;
}

static int health_run(const struct verb *verb, const struct call *call)
{
    struct health_values values = {.asking.timeout_us = 5 * CLOCK_SECOND_US};
    struct argument_texts operands;
    struct ask_reply reply = {.status = 0};
    struct ask *ask;
    int code;

    if (arguments_parse(verb, call, &values, &operands) != WEIR_OK)
        return VERB_EXIT_USAGE;
    code = ask_page(verb, &values.asking, values.is_live ? "/livez" : "/readyz",
                    &ask, &reply);
    if (code == VERB_EXIT_OK)
        code = judge(&reply, ask_address(ask));
    ask_close(ask);
    return code;
}

const struct verb verb_health = {
    .name = "health",
    .operands = "",
    .summary = "asks a running weir whether it does its work",
    .text =
        "Exit codes: 0 ready; 69 not ready, with the reasons on standard "
        "output, or nobody\nanswers.  A weir answers where its topology has "
        "`admin:`, or where WEIR_ADMIN is set.\n",
    .example = "  weir health\n"
               "  weir health --address 127.0.0.1:9999\n"
               "  weir health --live\n"
               "  weir health --address https://localhost:9464 --ca ca.pem\n",
    .options = health_options,
    .run = health_run,
};
