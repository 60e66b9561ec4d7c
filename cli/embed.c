/*
 * embed.c - implements <weir/pipeline.h>: a pipeline inside somebody's program.
 *
 * Joins config/, the connectors and pipeline/, as the command does, but says
 * everything through the log callback, installs no signal handler and never
 * exits.
 *
 * Threads: drain and ledger from any; the others from one at a time.
 */
#include <stdlib.h>

#include <weir/pipeline.h>
#include <weir/telemetry.h>

#include "admin.h"
#include "clock.h"
#include "connectors.h"
#include "loaded.h"
#include "log.h"
#include "pipeline.h"
#include "reporting.h"

/* As `weir run --until-end` without --connect-timeout. */
#define CONNECT_TIMEOUT_US (60 * CLOCK_SECOND_US)

struct weir_pipeline {
    struct loaded loaded;
    struct pipeline *pipeline;
    struct admin *admin;         /* or NULL */
    struct reporting *reporting; /* likewise */
};

void weir_set_log(weir_log_fn log, void *opaque)
{
    log_set_callback(log, opaque);
}

static enum weir_status start_beside(struct weir_pipeline *pipeline,
                                     struct weir_error *err)
{
    const struct loaded *loaded = &pipeline->loaded;
    struct admin_config config = {.topology = loaded->topology,
                                  .pipeline = pipeline->pipeline,
                                  .handler = loaded->handler,
                                  .libraries = connectors_libraries()};
    enum weir_status status = reporting_start(
        loaded->topology, pipeline->pipeline, &pipeline->reporting, err);

    if (status != WEIR_OK)
        return status;
    config.traces = reporting_traces(pipeline->reporting);
    return admin_start(&config, &pipeline->admin, err);
}

static void stop_beside(struct weir_pipeline *pipeline)
{
    admin_stop(pipeline->admin);
    pipeline->admin = NULL;
    reporting_stop(pipeline->reporting);
}

static enum weir_status create(struct weir_pipeline *pipeline,
                               const struct weir_pipeline_config *config,
                               struct weir_error *err)
{
    const struct loaded_request request = {
        .file = config->file ? config->file : "topology",
        .text = config->topology,
        .until_end = config->until_end != 0,
        .linked = config->handler,
    };
    enum weir_status status = loaded_open(&request, &pipeline->loaded, err);

    loaded_log_errors(&pipeline->loaded);
    if (status != WEIR_OK)
        return loaded_first_error(&pipeline->loaded, status, err);

    const struct topology *topology = pipeline->loaded.topology;
    const struct pipeline_options options = {
        .handler = pipeline->loaded.handler,
        .connect_timeout_us = topology->until_end ? CONNECT_TIMEOUT_US : 0};
    log_set_level(topology->log_level);
    log_set_format(topology->log_format);
    status = pipeline_create(topology, &options, &pipeline->pipeline, err);
    return status == WEIR_OK ? start_beside(pipeline, err) : status;
}

enum weir_status weir_pipeline_create(const struct weir_pipeline_config *config,
                                      struct weir_pipeline **ret_pipeline,
                                      struct weir_error *err)
{
    struct weir_pipeline *pipeline = calloc(1, sizeof *pipeline);
    enum weir_status status;

    if (!pipeline)
        return weir_fail(err, WEIR_RETRY, "no memory");
    status = create(pipeline, config, err);
    if (status != WEIR_OK) {
        stop_beside(pipeline);
        /* It never ran, so no thread can be stuck. */
        if (pipeline_destroy(pipeline->pipeline) == WEIR_OK)
            loaded_close(&pipeline->loaded);
        reporting_destroy(pipeline->reporting);
        free(pipeline);
        return status;
    }
    *ret_pipeline = pipeline;
    return WEIR_OK;
}

void weir_telemetry_attach(struct weir_pipeline *pipeline, unsigned kinds,
                           weir_telemetry_fn fn, void *opaque)
{
    pipeline_set_telemetry(pipeline->pipeline, kinds, fn, opaque);
}

int weir_pipeline_run(struct weir_pipeline *pipeline)
{
    return pipeline_run(pipeline->pipeline);
}

void weir_pipeline_drain(struct weir_pipeline *pipeline)
{
    pipeline_drain(pipeline->pipeline);
}

void weir_pipeline_ledger(const struct weir_pipeline *pipeline,
                          struct weir_ledger *ret_ledger)
{
    struct pipeline_stats stats;

    pipeline_stats(pipeline->pipeline, &stats);
    *ret_ledger = (struct weir_ledger){
        .received = stats.received,
        .done = stats.done,
        .rejected = stats.rejected,
        .abandoned = stats.abandoned,
        .in_flight = stats.in_flight,
    };
}

enum weir_status weir_pipeline_destroy(struct weir_pipeline *pipeline)
{
    enum weir_status status;

    if (!pipeline)
        return WEIR_OK;
    stop_beside(pipeline);
    status = pipeline_destroy(pipeline->pipeline);
    if (status != WEIR_OK)
        return status;
    reporting_destroy(pipeline->reporting);
    loaded_close(&pipeline->loaded);
    free(pipeline);
    return WEIR_OK;
}
