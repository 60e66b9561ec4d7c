/*
 * api_topology.c - /api/v1/topology: the stages and how they are connected.
 *
 * Names and sizes only, as they hold now; what else is configured,
 * api_configuration.c shows.
 *
 * Threads: the admin's.
 */
#include "api.h"
#include "reload.h"

static json_t *seconds(int64_t span_us)
{
    return json_real((double)span_us / 1e6);
}

static json_t *producer(const struct topology_producer *producer)
{
    return json_pack("{s:o, s:i, s:I}", "connector",
                     plain_json(producer->ops->name), "concurrency",
                     (int)producer->concurrency, "max_message_bytes",
                     (json_int_t)producer->max_message_bytes);
}

static json_t *processors(const struct topology_processors *processors,
                          const struct weir_handler *handler,
                          const struct tuning *now)
{
    return json_pack(
        "{s:o, s:i, s:s, s:i, s:i}", "handler", plain_json(handler->name),
        "concurrency", (int)now->values[TUNING_CONCURRENCY], "ordering",
        topology_ordering_names[processors->ordering], "max_demand",
        (int)processors->max_demand, "min_demand", (int)processors->min_demand);
}

static json_t *batcher(const struct topology_batcher *batcher,
                       const struct tuning_batcher *now)
{
    json_t *sink = json_pack(
        "{s:o, s:i, s:i}", "connector",
        plain_json(batcher->sink ? batcher->sink->name : "handle_batch"),
        "concurrency", (int)batcher->concurrency, "max_in_flight",
        (int)batcher->max_in_flight);

    return json_pack(
        "{s:o, s:i, s:I, s:o, s:i, s:o}", "name", plain_json(batcher->name),
        "batch_size", (int)now->values[TUNING_BATCH_SIZE], "batch_bytes",
        (json_int_t)now->values[TUNING_BATCH_BYTES], "batch_timeout_seconds",
        seconds(now->values[TUNING_BATCH_TIMEOUT]), "max_batch_keys",
        (int)now->values[TUNING_BATCH_KEYS], "sink", sink);
}

void page_topology(const struct site *site, const struct request *request,
                   struct answer *answer)
{
    const struct topology *topology = site->config->topology;
    json_t *batchers = json_array();
    struct tuning now;

    (void)request;
    if (pipeline_tuning(site->config->pipeline, &now) != WEIR_OK) {
        json_decref(batchers);
        return;
    }
    for (size_t i = 0; i < topology->batcher_count; i++)
        (void)json_array_append_new(
            batchers, batcher(&topology->batchers[i], &now.batchers[i]));
    answer_json(answer, 200,
                json_pack("{s:o, s:o, s:o, s:o, s:{s:i, s:s}, s:b, s:I}",
                          "name", plain_json(topology->name), "producer",
                          producer(&topology->producer), "processors",
                          processors(&topology->processors,
                                     site->config->handler, &now),
                          "batchers", batchers, "failure", "attempts",
                          (int)now.values[TUNING_ATTEMPTS], "then",
                          topology_policy_names[topology->failure.then],
                          "has_dead_letter", topology->has_dead_letter,
                          "memory_bytes", (json_int_t)topology->memory));
    tuning_finish(&now);
}
