/*
 * run.c - weir run: a topology until its end or a signal.
 *
 *     load -> create -> signals, status line -> run -> report -> destroy
 *
 * Standard output belongs to the sinks; the ledger goes to standard error.  The
 * report's file is opened before anything starts, so that a run of hours isn't
 * lost to a typing error.
 *
 * A thread that is stuck in foreign code after the deadline, or in a file that
 * doesn't answer, can't be ended: then nothing is freed and the process leaves
 * by _exit().
 *
 * Threads: this one supervises; signals.c and status_line.c have their own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin.h"
#include "arguments.h"
#include "clock.h"
#include "connectors.h"
#include "crash.h"
#include "health_variable.h"
#include "loaded.h"
#include "log.h"
#include "pipeline.h"
#include "reloader.h"
#include "reporting.h"
#include "run_report.h"
#include "signals.h"
#include "status_line.h"
#include "verb.h"

#define CONNECT_TIMEOUT_US (60 * CLOCK_SECOND_US)

struct run_values {
    const char *report;
    struct loaded_options topology;
    int64_t connect_timeout_us;
    bool is_quiet;
};

/* What answers and tells while it runs; NULL: not asked for. */
struct parts {
    struct pipeline *pipeline;
    struct reloader *reloader;
    struct admin *admin;         /* or NULL */
    struct reporting *reporting; /* likewise */
};

static const struct argument run_options[] = {
    {"--until-end", NULL, ARGUMENT_FLAG,
     offsetof(struct run_values, topology.until_end),
     "ends when the source has no more"},
    {"--connect-timeout", "DURATION", ARGUMENT_DURATION,
     offsetof(struct run_values, connect_timeout_us),
     "with --until-end: how long a broker may be absent (60s)"},
    {"--report", "FILE", ARGUMENT_TEXT, offsetof(struct run_values, report),
     "writes the ledger as JSON at the end"},
    LOADED_SET_OPTION(struct run_values),
    {"--quiet", NULL, ARGUMENT_FLAG, offsetof(struct run_values, is_quiet),
     "no live line and no ledger on the terminal"},
    {0},
};

static void drain(void *opaque)
{
    pipeline_drain(opaque);
}

static void reload(void *opaque)
{
    reloader_ask(opaque, "SIGHUP");
}

static enum weir_status reload_and_wait(void *opaque, int64_t deadline_us)
{
    return reloader_ask_and_wait(opaque, "admin", deadline_us);
}

/* Runs it, with all that a terminal shows of it. */
static int supervise(const struct parts *parts, const struct topology *topology,
                     const struct run_values *values,
                     struct run_report *ret_report)
{
    struct pipeline *pipeline = parts->pipeline;
    const struct signals_config handlers = {.drain = drain,
                                            .drain_opaque = pipeline,
                                            .reload = reload,
                                            .reload_opaque = parts->reloader};
    struct status_line *line = NULL;
    struct signals *signals = NULL;
    struct weir_error err = {0};
    int64_t start_us;

    if (signals_start(&handlers, &signals, &err) != WEIR_OK ||
        reloader_begin(parts->reloader, &err) != WEIR_OK) {
        (void)fprintf(stderr, "weir run: %s\n", err.text);
        signals_stop(signals);
        return VERB_EXIT_FAILED;
    }
    if (!values->is_quiet)
        line = status_line_start(pipeline);
    start_us = clock_now_us();
    ret_report->exit = pipeline_run(pipeline);
    ret_report->duration_us = clock_now_us() - start_us;
    ret_report->pipeline = topology->name;
    status_line_stop(line);
    pipeline_stats(pipeline, &ret_report->stats);
    signals_stop(signals);
    if (!values->is_quiet)
        run_report_print(ret_report, stderr);
    return ret_report->exit;
}

/* The exit code, made worse if the report can't be written. */
static int write_report(const struct run_report *report, const char *path,
                        FILE *out, int code)
{
    struct weir_error err = {0};

    if (run_report_write(report, out, &err) == WEIR_OK)
        return code;
    (void)fprintf(stderr, "weir run: cannot write %s: %s\n", path, err.text);
    return code == VERB_EXIT_OK ? VERB_EXIT_FAILED : code;
}

/* 0: no limit. */
static int64_t connect_timeout_us(const struct run_values *values)
{
    if (!values->topology.until_end)
        return 0;
    return values->connect_timeout_us >= 0 ? values->connect_timeout_us
                                           : CONNECT_TIMEOUT_US;
}

/* Beside it, for as long as it runs. */
static enum weir_status start_beside(const struct loaded *loaded,
                                     struct parts *parts,
                                     struct weir_error *err)
{
    const char *listen = getenv(HEALTH_VARIABLE);
    struct admin_config config = {
        .topology = loaded->topology,
        .pipeline = parts->pipeline,
        .handler = loaded->handler,
        .libraries = connectors_libraries(),
        .listen = listen && listen[0] ? listen : NULL,
        .listen_name = HEALTH_VARIABLE,
        .reload = reload_and_wait,
        .reload_opaque = parts->reloader,
    };
    enum weir_status status = reporting_start(loaded->topology, parts->pipeline,
                                              &parts->reporting, err);

    if (status != WEIR_OK)
        return status;
    config.traces = reporting_traces(parts->reporting);
    return admin_start(&config, &parts->admin, err);
}

static void stop_beside(struct parts *parts)
{
    admin_stop(parts->admin);
    reporting_stop(parts->reporting);
}

static enum weir_status make(const struct loaded *loaded,
                             const struct loaded_request *request,
                             const struct run_values *values,
                             struct parts *parts, struct weir_error *err)
{
    const struct pipeline_options options = {
        .handler = loaded->handler,
        .connect_timeout_us = connect_timeout_us(values),
        .show_stack = signals_show_stack,
    };
    struct reloader_config reloading = {.request = request, .loaded = loaded};
    enum weir_status status =
        pipeline_create(loaded->topology, &options, &parts->pipeline, err);

    reloading.pipeline = parts->pipeline;
    if (status == WEIR_OK)
        status = reloader_create(&reloading, &parts->reloader, err);
    return status == WEIR_OK ? start_beside(loaded, parts, err) : status;
}

/* False: a thread is stuck in foreign code, or in a file; nothing was freed. */
static bool end(const struct parts *parts)
{
    if (reloader_stop(parts->reloader) != WEIR_OK ||
        pipeline_destroy(parts->pipeline) != WEIR_OK)
        return false;
    reporting_destroy(parts->reporting);
    return true;
}

static int run_loaded(const struct loaded *loaded,
                      const struct loaded_request *request,
                      const struct run_values *values, FILE *report_file)
{
    struct run_report report = {.exit = VERB_EXIT_FAILED};
    struct parts parts = {.pipeline = NULL};
    struct weir_error err = {0};
    int code;

    log_set_level(loaded->topology->log_level);
    log_set_format(loaded->topology->log_format);
    if (make(loaded, request, values, &parts, &err) != WEIR_OK) {
        (void)fprintf(stderr, "%s: %s\n", request->file, err.text);
        stop_beside(&parts);
        return end(&parts) ? VERB_EXIT_CONFIG : VERB_EXIT_FAILED;
    }
    if (loaded->topology->state)
        crash_watch();
    code = supervise(&parts, loaded->topology, values, &report);
    stop_beside(&parts);
    if (report_file)
        code = write_report(&report, values->report, report_file, code);
    if (!end(&parts)) {
        (void)fflush(NULL);
        _exit(code);
    }
    return code;
}

static int run_file(const struct call *call, const char *file,
                    const struct run_values *values, FILE *report_file)
{
    const struct loaded_request request =
        loaded_request(call, file, &values->topology);
    struct loaded loaded;
    int code;

    signals_hold();
    if (loaded_open_or_say(&request, &loaded) != WEIR_OK)
        return VERB_EXIT_CONFIG;
    code = run_loaded(&loaded, &request, values, report_file);
    loaded_close(&loaded);
    return code;
}

static int run_run(const struct verb *verb, const struct call *call)
{
    struct run_values values = {.connect_timeout_us = -1};
    struct argument_texts operands;
    FILE *report_file = NULL;
    int code;

    if (arguments_parse(verb, call, &values, &operands) != WEIR_OK)
        return VERB_EXIT_USAGE;
    if (values.connect_timeout_us >= 0 && !values.topology.until_end)
        return usage_error(verb, "--connect-timeout has a meaning with "
                                 "--until-end only: without it a broker is "
                                 "waited for as long as it takes");
    if (values.report) {
        report_file = fopen(values.report, "we");
        if (!report_file)
            return usage_error(verb, "--report %s: %s", values.report,
                               strerror(errno));
    }
    code = run_file(call, operands.list[0], &values, report_file);
    if (report_file)
        (void)fclose(report_file);
    return code;
}

const struct verb verb_run = {
    .name = "run",
    .operands = "FILE",
    .summary = "runs a topology until SIGTERM or SIGINT, then drains",
    .text = "A second signal ends at once.  Exit codes: 0 ended as asked; 65 "
            "`then: stop` met a\nfailed message; 69 no broker, topic or queue "
            "(--until-end); 70 gave up; 74 the ledger\ndoes not balance; 75 "
            "messages were abandoned at the deadline; 78 configuration.\n",
    .example = "  weir run topology.yaml\n"
               "  weir run topology.yaml --until-end --report ledger.json\n"
               "  weir run topology.yaml --set batchers.default."
               "batch_size=10\n",
    .options = run_options,
    .operand_min = 1,
    .operand_max = 1,
    .run = run_run,
};
