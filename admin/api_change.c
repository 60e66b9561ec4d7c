/*
 * api_change.c - what may be changed while it runs: POST, with the token.
 *
 * Each answers with the state that it made.  What is changed here lasts until
 * the process ends; the topology file is not written.
 *
 * Threads: the admin's; the pipeline's functions take any.
 */
#include <string.h>

#include "api.h"
#include "log.h"

/* Bounds as in the topology file. */
#define MAX_MESSAGES   1e9
#define MAX_BYTES      (1024.0 * 1024 * 1024 * 1024)
#define MAX_INTERVAL_S 86400.0
#define MIN_INTERVAL_S 0.001

/* NULL: it was answered. */
static json_t *read_object(const struct request *request, struct answer *answer)
{
    json_error_t error;
    json_t *json =
        json_loadb(request->body ? request->body : "", request->body_size,
                   JSON_REJECT_DUPLICATES, &error);

    if (json_is_object(json))
        return json;
    if (json)
        answer_error(answer, 400, "the body is no JSON object");
    else
        answer_error(answer, 400, "the body is no JSON: %s", error.text);
    json_decref(json);
    return NULL;
}

/* ---- the rate limit ---- */

static json_t *limit_json(const struct site *site)
{
    struct topology_rate_limit limit;

    pipeline_rate(site->config->pipeline, &limit);
    return json_pack(
        "{s:o, s:o, s:o}", "messages",
        limit.messages > 0 ? json_integer(limit.messages) : json_null(),
        "bytes", limit.bytes > 0 ? json_integer(limit.bytes) : json_null(),
        "interval_seconds",
        json_real(limit.interval_us > 0 ? (double)limit.interval_us / 1e6 : 1));
}

void page_rate_limit(const struct site *site, const struct request *request,
                     struct answer *answer)
{
    (void)request;
    answer_json(answer, 200, limit_json(site));
}

/* A number of the object, `fallback` where it has none; false: answered. */
static bool read_number(const json_t *object, const char *name,
                        const double bounds[2], double *ret_value,
                        struct answer *answer)
{
    const json_t *value = json_object_get(object, name);

    if (!value || json_is_null(value))
        return true;
    if (!json_is_number(value) || json_number_value(value) < bounds[0] ||
        json_number_value(value) > bounds[1]) {
        answer_error(answer, 400, "%s is a number of %g to %g, or null", name,
                     bounds[0], bounds[1]);
        return false;
    }
    *ret_value = json_number_value(value);
    return true;
}

/* False: answered. */
static bool knows_keys(json_t *object, const char *const *names,
                       struct answer *answer)
{
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        const char *const *name = names;

        while (*name && strcmp(*name, key) != 0)
            name++;
        if (*name)
            continue;
        answer_error(answer, 400, "unknown key %.100s", key);
        return false;
    }
    return true;
}

static bool read_limit(json_t *object, struct topology_rate_limit *ret_limit,
                       struct answer *answer)
{
    static const char *const names[] = {"messages", "bytes", "interval_seconds",
                                        NULL};
    static const double messages_bounds[2] = {1, MAX_MESSAGES},
                        bytes_bounds[2] = {1, MAX_BYTES},
                        interval_bounds[2] = {MIN_INTERVAL_S, MAX_INTERVAL_S};
    double messages = 0, bytes = 0, interval_s = 1;

    if (!knows_keys(object, names, answer) ||
        !read_number(object, "messages", messages_bounds, &messages, answer) ||
        !read_number(object, "bytes", bytes_bounds, &bytes, answer) ||
        !read_number(object, "interval_seconds", interval_bounds, &interval_s,
                     answer))
        return false;
    *ret_limit = (struct topology_rate_limit){
        .messages = (int64_t)messages,
        .bytes = (int64_t)bytes,
        .interval_us = (int64_t)(interval_s * 1e6 + 0.5)};
    return true;
}

void change_rate_limit(const struct site *site, const struct request *request,
                       struct answer *answer)
{
    struct topology_rate_limit limit;
    json_t *object = read_object(request, answer);

    if (object && read_limit(object, &limit, answer)) {
        pipeline_set_rate(site->config->pipeline, &limit);
        log_write(WEIR_LOG_WARNING,
                  "%s: the rate limit was changed: %lld messages and %lld "
                  "bytes in %g s (0: no limit)",
                  site->config->topology->name, (long long)limit.messages,
                  (long long)limit.bytes, (double)limit.interval_us / 1e6);
        answer_json(answer, 200, limit_json(site));
    }
    json_decref(object);
}

/* ---- the log level ---- */

void page_log_level(const struct site *site, const struct request *request,
                    struct answer *answer)
{
    (void)site;
    (void)request;
    answer_json(answer, 200,
                json_pack("{s:s}", "level", log_level_name(log_level())));
}

void change_log_level(const struct site *site, const struct request *request,
                      struct answer *answer)
{
    static const char *const names[] = {"level", NULL};
    enum weir_log_level level;
    json_t *object = read_object(request, answer);

    if (object && knows_keys(object, names, answer)) {
        const char *name = json_string_value(json_object_get(object, "level"));

        if (name && log_level_parse(name, &level)) {
            log_set_level(level);
            page_log_level(site, request, answer);
        } else {
            answer_error(answer, 400, "level is debug, info, warning or error");
        }
    }
    json_decref(object);
}

/* ---- pause, resume, drain ---- */

static void answer_state(const struct site *site, struct answer *answer)
{
    struct pipeline_stats stats;

    pipeline_stats(site->config->pipeline, &stats);
    answer_json(answer, 200,
                json_pack("{s:b, s:b}", "paused",
                          pipeline_is_paused(site->config->pipeline),
                          "draining", stats.is_draining));
}

void change_pause(const struct site *site, const struct request *request,
                  struct answer *answer)
{
    (void)request;
    pipeline_pause(site->config->pipeline);
    log_write(WEIR_LOG_WARNING, "%s: paused by the admin interface",
              site->config->topology->name);
    answer_state(site, answer);
}

void change_resume(const struct site *site, const struct request *request,
                   struct answer *answer)
{
    (void)request;
    pipeline_resume(site->config->pipeline);
    log_write(WEIR_LOG_WARNING, "%s: resumed by the admin interface",
              site->config->topology->name);
    answer_state(site, answer);
}

void change_drain(const struct site *site, const struct request *request,
                  struct answer *answer)
{
    (void)request;
    log_write(WEIR_LOG_WARNING, "%s: asked to drain by the admin interface",
              site->config->topology->name);
    pipeline_drain(site->config->pipeline);
    answer_json(answer, 202, json_pack("{s:b}", "draining", 1));
}
