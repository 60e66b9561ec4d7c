/*
 * api_inspect.c - /api/v1: what the run is doing now.
 *
 *     sources     partitions and queues: position, lag, what holds them
 *     stages      producers, workers, batchers
 *     mailboxes   what waits between them, and who waits for whom
 *     failures    the messages that failed last: why, never what was in them
 *     explain     all of it, of one moment: for `weir explain` and `weir top`
 *
 * Threads: the admin's; it stops no stage (inspect.h).
 */
#include "api.h"
#include "inspect.h"

enum { MS_PER_US = 1000 };

static const char *const stages[INSPECT_STAGE_COUNT] = {
    [INSPECT_PRODUCER] = "producer",
    [INSPECT_PROCESSOR] = "processors",
    [INSPECT_BATCHER] = "batcher",
    [INSPECT_SINK] = "sink"};

static void set(json_t *object, const char *name, json_t *value)
{
    (void)json_object_set_new(object, name, value);
}

static void set_number(json_t *object, const char *name, uint64_t number)
{
    set(object, name, json_integer((json_int_t)number));
}

/* Below 0: it is not known. */
static void set_known(json_t *object, const char *name, int64_t number)
{
    set(object, name, number < 0 ? json_null() : json_integer(number));
}

static void set_text(json_t *object, const char *name, const char *text)
{
    set(object, name, text && text[0] ? plain_json(text) : json_null());
}

static void set_ms(json_t *object, const char *name, int64_t span_us)
{
    set(object, name, json_integer(span_us / MS_PER_US));
}

static void set_time(json_t *object, const char *name, int64_t wall_ms)
{
    set(object, name, wall_ms == 0 ? json_null() : json_integer(wall_ms));
}

static void set_trouble(json_t *object, const struct inspect_trouble *trouble)
{
    set_text(object, "trouble", trouble->text);
    set_time(object, "trouble_at_ms", trouble->wall_ms);
}

static const char *batcher_name(const struct inspection *all, unsigned index)
{
    return index < all->batcher_count ? all->batchers[index].name : NULL;
}

/* ---- sources ---- */

static json_t *oldest_of(const struct inspect_oldest *oldest)
{
    json_t *object = json_object();

    if (!oldest->exists) {
        json_decref(object);
        return json_null();
    }
    set_known(object, "position", oldest->position);
    set_text(object, "where", oldest->where);
    set_text(object, "batcher", oldest->batcher);
    set_number(object, "worker", oldest->worker);
    set_number(object, "attempt", oldest->attempt);
    set_ms(object, "there_ms", oldest->there_us);
    set_ms(object, "oldest_ms", oldest->oldest_us);
    set_text(object, "why", oldest->why);
    return object;
}

static json_t *source_of(const struct inspect_source *source)
{
    const struct weir_source_facts *facts = &source->facts;
    json_t *object = json_object();

    set_number(object, "producer", source->producer);
    set_text(object, "name", source->name);
    set_known(object, "partition", source->partition);
    set_number(object, "epoch", source->epoch);
    set_known(object, "position", facts->position);
    set_known(object, "committed", facts->committed);
    set_number(object, "window", facts->window);
    set_known(object, "window_limit",
              facts->window_limit > 0 ? (int64_t)facts->window_limit : -1);
    set_known(object, "lag", source->lag);
    set_known(object, "behind_ms", source->behind_ms);
    set_number(object, "open", source->open);
    set_number(object, "open_bytes", source->open_bytes);
    set_number(object, "waiting", source->waiting);
    set_text(object, "hold", source->hold);
    set(object, "oldest", oldest_of(&source->oldest));
    return object;
}

static void add_sources(json_t *page, const struct inspection *all)
{
    json_t *list = json_array();

    for (size_t i = 0; i < all->source_count; i++)
        (void)json_array_append_new(list, source_of(&all->sources[i]));
    set(page, "sources", list);
}

/* ---- stages ---- */

static json_t *producer_of(const struct inspect_producer *producer)
{
    json_t *object = json_object();

    set(object, "is_connected", json_boolean(producer->is_connected));
    set(object, "is_at_end", json_boolean(producer->is_at_end));
    set_text(object, "limit", producer->limit);
    set_number(object, "in_flight", producer->ledger.in_flight);
    set_trouble(object, &producer->trouble);
    return object;
}

static json_t *callback_of(const struct inspect_worker *worker)
{
    json_t *object;

    if (!worker->name)
        return json_null();
    object = json_object();
    set_text(object, "name", worker->name);
    set_known(object, "partition", worker->partition);
    set_known(object, "position", worker->position);
    set_ms(object, "for_ms", worker->for_us);
    return object;
}

static json_t *worker_of(const struct inspection *all,
                         const struct inspect_worker *worker)
{
    json_t *object = json_object();

    set_text(object, "stage", stages[worker->stage]);
    set_number(object, "index", worker->index);
    set(object, "is_over", json_boolean(worker->is_over));
    set_number(object, "in_hand", worker->in_hand);
    set(object, "callback", callback_of(worker));
    if (worker->stage != INSPECT_SINK)
        return object;
    set_text(object, "batcher", batcher_name(all, worker->batcher));
    set(object, "is_connected", json_boolean(worker->is_connected));
    set_ms(object, "down_ms", worker->down_us);
    set_number(object, "retrying", worker->retrying);
    set_trouble(object, &worker->trouble);
    return object;
}

static json_t *batcher_of(const struct inspect_batcher *batcher)
{
    json_t *object = json_object();

    set_text(object, "name", batcher->name);
    set_number(object, "open_batches", batcher->open_batches);
    set_number(object, "open_messages", batcher->open_messages);
    set_ms(object, "oldest_ms", batcher->oldest_us);
    set(object, "is_blocked", json_boolean(batcher->is_blocked));
    return object;
}

static void add_stages(json_t *page, const struct inspection *all)
{
    json_t *producers = json_array(), *workers = json_array(),
           *batchers = json_array();

    for (size_t i = 0; i < all->producer_count; i++)
        (void)json_array_append_new(producers, producer_of(&all->producers[i]));
    for (size_t i = 0; i < all->worker_count; i++)
        (void)json_array_append_new(workers, worker_of(all, &all->workers[i]));
    for (size_t i = 0; i < all->batcher_count; i++)
        (void)json_array_append_new(batchers, batcher_of(&all->batchers[i]));
    set(page, "producers", producers);
    set(page, "workers", workers);
    set(page, "batchers", batchers);
    set_number(page, "in_backoff", all->in_backoff);
    set_number(page, "memory_used", all->memory_used);
    set_number(page, "memory_limit", all->memory_limit);
}

/* ---- mailboxes ---- */

static json_t *mailbox_of(const struct inspection *all,
                          const struct inspect_mailbox *box)
{
    const bool has_batcher =
        box->to == INSPECT_BATCHER || box->to == INSPECT_SINK;
    json_t *object = json_object();

    set_text(object, "from", stages[box->from]);
    set_text(object, "to", stages[box->to]);
    set_text(object, "batcher",
             has_batcher ? batcher_name(all, box->batcher) : NULL);
    set_number(object, "worker", box->worker);
    set_number(object, "messages", box->messages);
    set_number(object, "max_messages", box->max_messages);
    set_number(object, "batches", box->batches);
    set_number(object, "max_batches", box->max_batches);
    set_number(object, "bytes", box->bytes);
    set_number(object, "max_bytes", box->max_bytes);
    set(object, "has_waiting_readers", json_boolean(box->has_waiting_readers));
    set(object, "has_waiting_writers", json_boolean(box->has_waiting_writers));
    return object;
}

static void add_mailboxes(json_t *page, const struct inspection *all)
{
    json_t *list = json_array();

    for (size_t i = 0; i < all->mailbox_count; i++)
        (void)json_array_append_new(list, mailbox_of(all, &all->mailboxes[i]));
    set(page, "mailboxes", list);
}

/* ---- failures ---- */

static json_t *failure_of(const struct inspect_failure *failure)
{
    json_t *object = json_object();

    set_number(object, "number", failure->number);
    set_time(object, "at_ms", failure->wall_ms);
    set_text(object, "name", failure->name);
    set_known(object, "partition", failure->partition);
    set_known(object, "position", failure->position);
    set_number(object, "attempt", failure->attempt);
    set_text(object, "code", failure->code);
    set_text(object, "stage", failure->stage);
    set_text(object, "reason", failure->reason);
    return object;
}

static void add_failures(json_t *page, const struct inspection *all)
{
    json_t *list = json_array();

    for (size_t i = 0; i < all->failure_count; i++)
        (void)json_array_append_new(list, failure_of(&all->failures[i]));
    set(page, "failures", list);
}

/* ---- pages ---- */

typedef void (*part_fn)(json_t *page, const struct inspection *all);

/* NULL: no memory. */
static json_t *page_of(const struct site *site, const part_fn *parts)
{
    struct inspection *all = NULL;
    json_t *page;

    if (pipeline_inspect(site->config->pipeline, &all) != WEIR_OK)
        return NULL;
    page = json_object();
    set_text(page, "pipeline", all->name);
    set_time(page, "at_ms", all->wall_ms);
    for (; *parts; parts++)
        (*parts)(page, all);
    inspection_destroy(all);
    return page;
}

static void answer_parts(const struct site *site, struct answer *answer,
                         const part_fn *parts)
{
    answer_json(answer, 200, page_of(site, parts));
}

void page_sources(const struct site *site, const struct request *request,
                  struct answer *answer)
{
    (void)request;
    answer_parts(site, answer, (const part_fn[]){add_sources, NULL});
}

void page_stages(const struct site *site, const struct request *request,
                 struct answer *answer)
{
    (void)request;
    answer_parts(site, answer, (const part_fn[]){add_stages, NULL});
}

void page_mailboxes(const struct site *site, const struct request *request,
                    struct answer *answer)
{
    (void)request;
    answer_parts(site, answer, (const part_fn[]){add_mailboxes, NULL});
}

void page_failures(const struct site *site, const struct request *request,
                   struct answer *answer)
{
    (void)request;
    answer_parts(site, answer, (const part_fn[]){add_failures, NULL});
}

void page_explain(const struct site *site, const struct request *request,
                  struct answer *answer)
{
    json_t *page =
        page_of(site, (const part_fn[]){add_sources, add_stages, add_mailboxes,
                                        add_failures, NULL});

    (void)request;
    if (page)
        set(page, "reload", reload_json(site));
    answer_json(answer, 200, page);
}
