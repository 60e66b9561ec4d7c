/*
 * explain.c - what holds a run up, in words.
 *
 *     each source        commit position, and the message that holds it: in
 *                        which stage, since when, attempts, last error; what
 *                        to do
 *     each mailbox       who waits for whom
 *     each connection    that is not there: since when, and why
 *
 * What to do follows from where the message is; for a message that a worker has
 * it depends on what that worker is in the middle of.
 *
 * Threads: none.
 */
#include "explain.h"

#include <stdbool.h>
#include <string.h>

#include "page.h"

/* ---- where the message is, and what to do ---- */

/* The worker of this stage, batcher and number; NULL: none. */
static const json_t *find_worker(const json_t *page, const char *stage,
                                 const json_t *oldest)
{
    const json_t *workers = json_object_get(page, "workers");

    for (size_t i = 0; i < json_array_size(workers); i++) {
        const json_t *worker = json_array_get(workers, i);

        if (strcmp(page_text(worker, "stage"), stage) == 0 &&
            strcmp(page_text(worker, "batcher"),
                   page_text(oldest, "batcher")) == 0 &&
            page_number(worker, "index") == page_number(oldest, "worker"))
            return worker;
    }
    return NULL;
}

static bool is_same_message(const json_t *callback, const json_t *source,
                            const json_t *oldest)
{
    return strcmp(page_text(callback, "name"), page_text(source, "name")) ==
               0 &&
           page_number(callback, "partition") ==
               page_number(source, "partition") &&
           page_number(callback, "position") == page_number(oldest, "position");
}

static void explain_handler(const json_t *page, const json_t *source,
                            const json_t *oldest, FILE *out)
{
    const json_t *worker = find_worker(page, "processors", oldest);
    const json_t *callback = json_object_get(worker, "callback");
    const int number = (int)page_number(oldest, "worker");

    if (json_is_object(callback) &&
        !is_same_message(callback, source, oldest)) {
        (void)fprintf(out,
                      "handled by worker %d, and goes on with its hand, "
                      "which is at ",
                      number);
        page_print_message(out, callback, page_number(callback, "position"));
        (void)fprintf(out, " for %s",
                      page_span(page_number(callback, "for_ms")).text);
    } else {
        (void)fprintf(out, "in the handler, on worker %d", number);
    }
    (void)fprintf(
        out,
        ", attempt %lld\n        do: find out what the handler waits for; "
        "with processors.timeout the log shows its stack\n",
        (long long)page_number(oldest, "attempt"));
}

static void explain_queue(const json_t *page, FILE *out)
{
    const json_t *workers = json_object_get(page, "workers");
    unsigned busy = 0, count = 0;

    for (size_t i = 0; i < json_array_size(workers); i++) {
        const json_t *worker = json_array_get(workers, i);

        if (strcmp(page_text(worker, "stage"), "processors") != 0)
            continue;
        count++;
        busy += page_number(worker, "in_hand") > 0;
    }
    (void)fprintf(out,
                  "waits for a worker; %u of %u are busy\n        do: nothing, "
                  "if it moves; else more processors.concurrency, or a faster "
                  "handler\n",
                  busy, count);
}

/* Of a sink worker that is not connected. */
static void explain_down(const json_t *worker, FILE *out)
{
    (void)fprintf(out, ", whose destination is down for %s: ",
                  page_span(page_number(worker, "down_ms")).text);
    page_print(out, page_text(worker, "trouble"));
    (void)fprintf(out, "\n        do: bring the destination back; what was "
                       "taken is held meanwhile\n");
}

static void explain_sink(const json_t *page, const json_t *oldest, FILE *out)
{
    const json_t *worker = find_worker(page, "sink", oldest);

    (void)fprintf(out, "at the sink of %s, worker %d",
                  page_text(oldest, "batcher"),
                  (int)page_number(oldest, "worker"));
    if (worker && !page_is_true(worker, "is_connected")) {
        explain_down(worker, out);
        return;
    }
    (void)fprintf(out, ", which has not confirmed it\n        do: look at the "
                       "destination\n");
}

/* Of those that wait for their time. */
static void explain_wait(const char *what, const char *todo,
                         const json_t *oldest, FILE *out)
{
    (void)fprintf(out, "%s after attempt %lld\n        do: %s\n", what,
                  (long long)page_number(oldest, "attempt"), todo);
}

/* A sink worker of the batcher, where none of them is connected; else NULL. */
static const json_t *find_down(const json_t *page, const char *batcher)
{
    const json_t *workers = json_object_get(page, "workers");
    const json_t *down = NULL;

    for (size_t i = 0; i < json_array_size(workers); i++) {
        const json_t *worker = json_array_get(workers, i);

        if (strcmp(page_text(worker, "stage"), "sink") != 0 ||
            strcmp(page_text(worker, "batcher"), batcher) != 0)
            continue;
        if (page_is_true(worker, "is_connected"))
            return NULL;
        down = worker;
    }
    return down;
}

static void explain_batcher(const json_t *page, const json_t *oldest, FILE *out)
{
    const json_t *batchers = json_object_get(page, "batchers");
    const char *name = page_text(oldest, "batcher");
    const json_t *down = find_down(page, name);
    bool is_blocked = false;

    if (down) {
        (void)fprintf(out, "in batcher %s", name);
        explain_down(down, out);
        return;
    }

    for (size_t i = 0; i < json_array_size(batchers); i++) {
        const json_t *batcher = json_array_get(batchers, i);

        if (strcmp(page_text(batcher, "name"), name) == 0)
            is_blocked = page_is_true(batcher, "is_blocked");
    }
    if (is_blocked)
        (void)fprintf(out,
                      "in batcher %s, whose sink workers are all busy\n"
                      "        do: look at the destination, or more "
                      "batchers.%s.concurrency\n",
                      name, name);
    else
        (void)fprintf(out,
                      "in batcher %s, until its batch is full or "
                      "batch_timeout is over\n",
                      name);
}

static void explain_place(const json_t *page, const json_t *source,
                          const json_t *oldest, FILE *out)
{
    const char *where = page_text(oldest, "where");

    if (strcmp(where, "handler") == 0)
        explain_handler(page, source, oldest, out);
    else if (strcmp(where, "batcher") == 0)
        explain_batcher(page, oldest, out);
    else if (strcmp(where, "sink") == 0)
        explain_sink(page, oldest, out);
    else if (strcmp(where, "retry") == 0)
        explain_wait("waits to be handled again,",
                     "see to what the handler asks for; failure.retry bounds "
                     "the attempts",
                     oldest, out);
    else if (strcmp(where, "sink_retry") == 0)
        explain_wait("waits to be delivered again,",
                     "see to what the destination says; failure.retry bounds "
                     "the attempts",
                     oldest, out);
    else if (strcmp(where, "requeue") == 0)
        explain_wait("failed, and waits to be given back to the broker,",
                     "nothing; failure.retry.backoff says how long", oldest,
                     out);
    else
        explain_queue(page, out);
}

/* ---- sources ---- */

static void explain_hold(const json_t *source, FILE *out)
{
    const char *hold = page_text(source, "hold");

    if (strcmp(hold, "window") == 0)
        (void)fprintf(out,
                      "    nothing more of it is read: %lld of %lld messages "
                      "of its window are not settled\n",
                      (long long)page_number(source, "window"),
                      (long long)page_number(source, "window_limit"));
    else if (strcmp(hold, "memory") == 0)
        (void)fprintf(out, "    nothing more of it is read: it has its share "
                           "of the memory\n");
    else if (strcmp(hold, "waiting") == 0)
        (void)fprintf(out,
                      "    nothing more of it is read: %lld of its "
                      "messages wait for a worker\n",
                      (long long)page_number(source, "waiting"));
    else if (strcmp(hold, "drain") == 0)
        (void)fprintf(out, "    it is being taken away: what was begun is "
                           "finished\n");
}

static void explain_oldest(const json_t *page, const json_t *source, FILE *out)
{
    const json_t *oldest = json_object_get(source, "oldest");

    if (!json_is_object(oldest)) {
        (void)fprintf(out, "    nothing is open\n");
        return;
    }
    (void)fputs("    held by ", out);
    page_print_message(out, source, page_number(oldest, "position"));
    (void)fprintf(out, " for %s",
                  page_span(page_number(oldest, "oldest_ms")).text);
    (void)fprintf(out, ", where it is for %s:\n        ",
                  page_span(page_number(oldest, "there_ms")).text);
    explain_place(page, source, oldest, out);
    if (page_text(oldest, "why")[0]) {
        (void)fputs("        last error: ", out);
        page_print(out, page_text(oldest, "why"));
        (void)fputc('\n', out);
    }
}

static void explain_source(const json_t *page, const json_t *source, FILE *out)
{
    page_print_source(out, source);
    if (page_is_known(source, "committed"))
        (void)fprintf(out, ": committed %lld, read up to %lld",
                      (long long)page_number(source, "committed"),
                      (long long)page_number(source, "position"));
    else
        (void)fprintf(out, ": %lld delivered and not acknowledged",
                      (long long)page_number(source, "window"));
    if (page_is_known(source, "lag"))
        (void)fprintf(out, ", lag %lld", (long long)page_number(source, "lag"));
    if (page_is_known(source, "behind_ms") &&
        page_number(source, "behind_ms") > 0)
        (void)fprintf(out, " (%s)",
                      page_span(page_number(source, "behind_ms")).text);
    (void)fprintf(out, ", %lld open\n", (long long)page_number(source, "open"));
    explain_hold(source, out);
    explain_oldest(page, source, out);
}

/* ---- mailboxes and connections ---- */

static void explain_mailbox(const json_t *box, FILE *out)
{
    const char *batcher = page_text(box, "batcher");
    const char *from = page_text(box, "from"), *to = page_text(box, "to");

    (void)fprintf(out, "%s to %s%s%s: %lld", from, to, batcher[0] ? " of " : "",
                  batcher, (long long)page_number(box, "messages"));
    if (page_number(box, "max_messages") > 0)
        (void)fprintf(out, " of %lld",
                      (long long)page_number(box, "max_messages"));
    (void)fprintf(out, " messages");
    if (page_number(box, "max_batches") > 0)
        (void)fprintf(out, ", %lld of %lld batches",
                      (long long)page_number(box, "batches"),
                      (long long)page_number(box, "max_batches"));
    if (page_is_true(box, "has_waiting_writers"))
        (void)fprintf(out, "; %s waits for %s", from, to);
    else if (page_is_true(box, "has_waiting_readers"))
        (void)fprintf(out, "; %s waits for %s", to, from);
    (void)fputc('\n', out);
}

static const char *limit_text(const char *limit)
{
    static const struct {
        const char *limit, *text;
    } rows[] = {
        {"full", "reads nothing: enough waits for the workers"},
        {"memory", "reads nothing: what is in flight takes all of the memory"},
        {"flood", "reads next to nothing: too many messages fail "
                  "(failure.stop_above)"},
        {"rate", "reads as much as producer.rate_limit allows"},
        {"drain", "reads nothing: the run is ending"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].limit, limit) == 0)
            return rows[i].text;
    }
    return NULL;
}

static void explain_producer(const json_t *producer, size_t index, FILE *out)
{
    const char *limit = limit_text(page_text(producer, "limit"));

    if (page_is_true(producer, "is_at_end")) {
        (void)fprintf(out, "producer %zu is at the end of its sources\n",
                      index);
    } else if (!page_is_true(producer, "is_connected")) {
        (void)fprintf(out, "producer %zu has no connection: ", index);
        page_print(out, page_text(producer, "trouble")[0]
                            ? page_text(producer, "trouble")
                            : "nothing answered yet");
        (void)fprintf(out, "\n    do: see to the broker; it is tried again\n");
    } else if (limit) {
        (void)fprintf(out, "producer %zu %s\n", index, limit);
    }
}

static void explain_connection(const json_t *worker, FILE *out)
{
    if (strcmp(page_text(worker, "stage"), "sink") != 0 ||
        page_is_true(worker, "is_connected") || page_is_true(worker, "is_over"))
        return;
    (void)fprintf(out, "sink of %s, worker %lld: down for %s: ",
                  page_text(worker, "batcher"),
                  (long long)page_number(worker, "index"),
                  page_span(page_number(worker, "down_ms")).text);
    page_print(out, page_text(worker, "trouble"));
    (void)fprintf(out,
                  "\n    do: bring the destination back; what was taken is "
                  "held meanwhile\n");
}

/* ---- the file ---- */

static void explain_restart(const json_t *change, FILE *out)
{
    (void)fputs("    ", out);
    page_print(out, page_text(change, "path"));
    (void)fputc('\n', out);
}

static void explain_reload(const json_t *reload, FILE *out)
{
    const json_t *last = json_object_get(reload, "last");
    const bool needs_restart = page_number(last, "needs_restart_count") > 0;

    if (strcmp(page_text(last, "result"), "refused") == 0) {
        (void)fprintf(out,
                      "the last reload (%s) was refused, and nothing has "
                      "changed: ",
                      page_text(last, "by"));
        page_print(out, page_text(last, "why"));
        (void)fputs("\n    do: mend the file, and reload\n", out);
    }
    if (page_number(reload, "stages_behind") > 0)
        (void)fprintf(out,
                      "%lld of the workers go by the values from before the "
                      "reload, until their callback returns\n",
                      (long long)page_number(reload, "stages_behind"));
    if (needs_restart)
        (void)fputs("the file says something else, which only a restart makes "
                    "hold, at\n",
                    out);
    page_each(last, "needs_restart", explain_restart, out);
}

void explain(const json_t *page, FILE *out)
{
    const json_t *producers = json_object_get(page, "producers");
    const json_t *sources = json_object_get(page, "sources");

    for (size_t i = 0; i < json_array_size(producers); i++)
        explain_producer(json_array_get(producers, i), i, out);
    if (json_array_size(sources) == 0)
        (void)fprintf(out, "no partition or queue is ours now\n");
    for (size_t i = 0; i < json_array_size(sources); i++)
        explain_source(page, json_array_get(sources, i), out);
    page_each(page, "workers", explain_connection, out);
    explain_reload(json_object_get(page, "reload"), out);
    (void)fputc('\n', out);
    page_each(page, "mailboxes", explain_mailbox, out);
}
