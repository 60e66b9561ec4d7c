/*
 * check.c - weir check: everything that can be known before it runs.
 *
 *     the file       read, every option of every connector checked
 *     the handler    loaded, its ABI checked
 *     --connect      brokers and destinations asked
 *
 * Threads: those of inquiry.c.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "clock.h"
#include "findings_page.h"
#include "inquiry.h"
#include "invariant.h"
#include "loaded.h"
#include "pipeline.h"
#include "verb.h"

#define TIMEOUT_US (10 * CLOCK_SECOND_US)

struct check_values {
    struct loaded_options topology;
    bool connects;
    int64_t timeout_us; /* -1: not given */
    const char *format;
};

static const struct argument check_options[] = {
    LOADED_SET_OPTION(struct check_values),
    {"--until-end", NULL, ARGUMENT_FLAG,
     offsetof(struct check_values, topology.until_end),
     "as if it were run with this option"},
    {"--connect", NULL, ARGUMENT_FLAG, offsetof(struct check_values, connects),
     "asks brokers and destinations what will go wrong; changes nothing there"},
    {"--timeout", "DURATION", ARGUMENT_DURATION,
     offsetof(struct check_values, timeout_us),
     "with --connect: how long they are asked (10s)"},
    {"--format", "FORMAT", ARGUMENT_TEXT, offsetof(struct check_values, format),
     "text (default) or json"},
    {0},
};

/* Whether the handler has what the topology needs. */
static enum weir_status check_handler(const struct loaded *loaded,
                                      struct weir_error *err)
{
    const struct pipeline_options options = {.handler = loaded->handler};
    struct pipeline *pipeline = NULL;
    const enum weir_status status =
        pipeline_create(loaded->topology, &options, &pipeline, err);

    if (status == WEIR_OK)
        INVARIANT(pipeline_destroy(pipeline) == WEIR_OK); /* it never ran */
    return status;
}

static int say_json(const struct findings_page *page, int code)
{
    if (findings_page_json(page, stdout) == WEIR_OK)
        return code;
    (void)fprintf(stderr, "%s: the findings can't be written\n", page->file);
    return VERB_EXIT_FAILED;
}

/* What was found is on standard output; the exit code. */
static int say(const struct findings_page *page, bool is_json,
               const struct inquiry *inquiry)
{
    const int code = findings_page_count(inquiry, WEIR_SEVERITY_ERROR) > 0
                         ? VERB_EXIT_UNAVAILABLE
                         : VERB_EXIT_OK;
    struct findings_page found = *page;

    found.inquiry = inquiry;
    if (is_json)
        return say_json(&found, code);
    findings_page_text(&found, stdout);
    return code;
}

static int connect_all(const struct check_values *values,
                       const struct loaded *loaded,
                       const struct findings_page *page, bool is_json)
{
    const int64_t timeout_us =
        values->timeout_us >= 0 ? values->timeout_us : TIMEOUT_US;
    struct inquiry inquiry;
    struct weir_error err = {.text = ""};
    int code;

    if (inquiry_run(loaded->topology, timeout_us, &inquiry, &err) != WEIR_OK) {
        (void)fprintf(stderr, "%s: %s\n", page->file, err.text);
        return VERB_EXIT_FAILED;
    }
    code = say(page, is_json, &inquiry);
    if (inquiry.is_deserted) {
        (void)fflush(NULL);
        _exit(code); /* a library is still at it, in memory of ours */
    }
    inquiry_finish(&inquiry);
    return code;
}

static int check_text(const struct call *call, const char *file,
                      const struct check_values *values)
{
    struct loaded loaded;
    struct findings_page page = {.file = file, .errors = &loaded.errors};
    struct weir_error err = {.text = ""};
    int code = VERB_EXIT_OK;

    if (loaded_open_file(call, file, &values->topology, &loaded) != WEIR_OK)
        return VERB_EXIT_CONFIG;
    if (check_handler(&loaded, &err) != WEIR_OK) {
        (void)fprintf(stderr, "%s: %s\n", file, err.text);
        code = VERB_EXIT_CONFIG;
    } else {
        (void)printf("%s: ok\n", file);
        if (values->connects)
            code = connect_all(values, &loaded, &page, false);
    }
    loaded_close(&loaded);
    return code;
}

/* All of it as one object, also what is wrong with the file. */
static int check_json(const struct call *call, const char *file,
                      const struct check_values *values)
{
    const struct loaded_request request =
        loaded_request(call, file, &values->topology);
    struct loaded loaded;
    struct findings_page page = {.file = file, .errors = &loaded.errors};
    struct weir_error err = {.text = ""};
    enum weir_status status = loaded_open_guarded(&request, &loaded, &err);
    int code;

    if (status == WEIR_OK)
        status = check_handler(&loaded, &err);
    if (status != WEIR_OK && loaded.errors.error_count == 0)
        page.refusal = err.text;
    if (status != WEIR_OK)
        code = say_json(&page, VERB_EXIT_CONFIG);
    else if (values->connects)
        code = connect_all(values, &loaded, &page, true);
    else
        code = say_json(&page, VERB_EXIT_OK);
    loaded_close(&loaded);
    return code;
}

static int check_run(const struct verb *verb, const struct call *call)
{
    struct check_values values = {.timeout_us = -1, .format = "text"};
    struct argument_texts operands;

    if (arguments_parse(verb, call, &values, &operands) != WEIR_OK)
        return VERB_EXIT_USAGE;
    if (values.timeout_us >= 0 && !values.connects)
        return usage_error(verb, "--timeout has a meaning with --connect");
    if (strcmp(values.format, "json") == 0)
        return check_json(call, operands.list[0], &values);
    if (strcmp(values.format, "text") != 0)
        return usage_error(verb, "--format %s: it is text or json",
                           values.format);
    return check_text(call, operands.list[0], &values);
}

const struct verb verb_check = {
    .name = "check",
    .operands = "FILE",
    .summary = "says whether a topology can be run; --connect asks the brokers",
    .text = "Reads the file, checks every option of every connector, loads "
            "the plugin and\nchecks its ABI.  All errors are printed at once; "
            "the exit code is then 78.\n\nWith --connect brokers and "
            "destinations are asked too; nothing is changed there.\nA line "
            "each: ok, unknown (it can't be asked), warning, error.  The exit "
            "code is 69\nwhen there is an error.\n",
    .example = "  weir check topology.yaml\n"
               "  weir check topology.yaml --set batchers.default."
               "batch_size=10\n"
               "  weir check --connect topology.yaml\n"
               "  weir check --connect --format json topology.yaml\n",
    .options = check_options,
    .operand_min = 1,
    .operand_max = 1,
    .run = check_run,
};
