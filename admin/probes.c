/*
 * probes.c - /livez, /readyz: for orchestrators and people.
 *
 * The status is the answer; the body says why, one line a reason, or, to
 * whoever accepts application/json, as an object.
 *
 * Threads: the admin's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "health.h"

static json_t *reasons_json(const struct pipeline_health *health)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < health->count; i++) {
        const struct health_reason *reason = &health->reasons[i];
        json_t *one = json_pack("{s:s, s:o}", "code", reason->code, "text",
                                plain_json(reason->text));

        if (json_array_append_new(list, one) != 0)
            break;
    }
    return list;
}

static json_t *health_json(const struct site *site,
                           const struct pipeline_health *health)
{
    return json_pack("{s:o, s:b, s:b, s:o}", "pipeline",
                     plain_json(site->config->topology->name), "live",
                     health->is_live, "ready", health->is_ready, "reasons",
                     reasons_json(health));
}

/* One line a reason. */
static void answer_lines(struct answer *answer, unsigned status,
                         const char *first,
                         const struct pipeline_health *health)
{
    FILE *out = open_memstream(&answer->body, &answer->size);
    bool is_whole;

    if (!out)
        return;
    (void)fprintf(out, "%s\n", first);
    for (unsigned i = 0; i < health->count; i++)
        (void)fprintf(out, "%s: %s\n", health->reasons[i].code,
                      health->reasons[i].text);
    is_whole = ferror(out) == 0;
    answer->type = "text/plain; charset=utf-8";
    answer->status = fclose(out) == 0 && is_whole ? status : 0;
}

static bool wants_json(const struct request *request)
{
    return request->accept && strstr(request->accept, "application/json");
}

static void answer_probe(const struct site *site, const struct request *request,
                         const char *const words[2], struct answer *answer)
{
    const bool is_live = strcmp(words[0], "live") == 0;
    struct pipeline_health health;
    bool is_fine;

    pipeline_health(site->config->pipeline, &health);
    is_fine = is_live ? health.is_live : health.is_ready;
    if (is_live && is_fine)
        health.count = 0; /* why it isn't ready is another question */
    if (wants_json(request))
        answer_json(answer, is_fine ? 200 : 503, health_json(site, &health));
    else
        answer_lines(answer, is_fine ? 200 : 503, words[is_fine ? 0 : 1],
                     &health);
}

void page_livez(const struct site *site, const struct request *request,
                struct answer *answer)
{
    static const char *const words[2] = {"live", "not live"};

    answer_probe(site, request, words, answer);
}

void page_readyz(const struct site *site, const struct request *request,
                 struct answer *answer)
{
    static const char *const words[2] = {"ready", "not ready"};

    answer_probe(site, request, words, answer);
}

void page_health(const struct site *site, const struct request *request,
                 struct answer *answer)
{
    struct pipeline_health health;

    (void)request;
    pipeline_health(site->config->pipeline, &health);
    answer_json(answer, 200, health_json(site, &health));
}
