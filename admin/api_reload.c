/*
 * api_reload.c - /api/v1/reload: the topology file, once more.
 *
 * Threads: the admin's.  The file is read by another; that is waited for, but
 * not for long, since nobody else is answered meanwhile.
 */
#include "api.h"

#include <stdlib.h>

#include "clock.h"
#include "reload.h"

#define WAIT_US (CLOCK_SECOND_US / 2)

/* "" is a value that isn't there, or a list. */
static json_t *value(const char *text)
{
    return text[0] ? plain_json(text) : json_null();
}

static json_t *changes(const struct reload_list *list)
{
    json_t *json = json_array();

    for (size_t i = 0; i < list->count && i < RELOAD_LISTED; i++) {
        const struct tuning_change *change = &list->changes[i];

        (void)json_array_append_new(json, json_pack("{s:o, s:o, s:o}", "path",
                                                    plain_json(change->path),
                                                    "from", value(change->from),
                                                    "to", value(change->to)));
    }
    return json;
}

static json_t *last(const struct reload_result *result)
{
    if (result->outcome == RELOAD_NONE)
        return json_null();
    return json_pack("{s:s, s:s, s:I, s:o, s:o, s:I, s:o, s:I}", "result",
                     reload_outcome_names[result->outcome], "by", result->by,
                     "at_ms", (json_int_t)result->wall_ms, "why",
                     value(result->why), "applied", changes(&result->applied),
                     "applied_count", (json_int_t)result->applied.count,
                     "needs_restart", changes(&result->restart),
                     "needs_restart_count", (json_int_t)result->restart.count);
}

static json_t *json_of(const struct reload_view *view)
{
    return json_pack("{s:I, s:i, s:o}", "generation",
                     (json_int_t)view->generation, "stages_behind",
                     (int)view->late, "last", last(&view->last));
}

json_t *reload_json(const struct site *site)
{
    struct reload_view *view = pipeline_look_at_reload(site->config->pipeline);
    json_t *json = view ? json_of(view) : NULL;

    free(view);
    return json;
}

void page_reload(const struct site *site, const struct request *request,
                 struct answer *answer)
{
    (void)request;
    answer_json(answer, 200, reload_json(site));
}

static void answer_last(const struct site *site, struct answer *answer)
{
    struct reload_view *view = pipeline_look_at_reload(site->config->pipeline);

    if (!view)
        return;
    if (view->last.outcome == RELOAD_REFUSED)
        answer_error(answer, 422, "nothing has changed: %s", view->last.why);
    else
        answer_json(answer, 200, json_of(view));
    free(view);
}

void change_reload(const struct site *site, const struct request *request,
                   struct answer *answer)
{
    const struct admin_config *config = site->config;

    (void)request;
    if (!config->reload)
        answer_error(answer, 409,
                     "this topology is no file that could be read again");
    else if (config->reload(config->reload_opaque, clock_after_us(WAIT_US)) ==
             WEIR_OK)
        answer_last(site, answer);
    else
        answer_json(answer, 202, reload_json(site));
}
