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

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

struct span {
    char text[32];
};

/* "850 ms", "12 s", "3 min 5 s", "2 h 10 min" */
static struct span span_of(json_int_t ms)
{
    const json_int_t s = ms / 1000;
    struct span span;

    if (ms < 1000)
        (void)snprintf(span.text, sizeof span.text, "%d ms", (int)ms);
    else if (s < 60)
        (void)snprintf(span.text, sizeof span.text, "%d s", (int)s);
    else if (s < 3600)
        (void)snprintf(span.text, sizeof span.text, "%d min %d s",
                       (int)(s / 60), (int)(s % 60));
    else
        (void)snprintf(span.text, sizeof span.text, "%lld h %d min",
                       (long long)(s / 3600), (int)(s / 60 % 60));
    return span;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static json_int_t number_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static bool is_known(const json_t *object, const char *name)
{
    return json_is_integer(json_object_get(object, name));
}

static bool is_true(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

/* "orders[3]@42", "jobs#42": what others wrote is shown by what it is to a
 * terminal, too. */
static void print_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;

        (void)fputc(c < ' ' || c == 127 ? '?' : c, out);
    }
}

static void print_source(FILE *out, const json_t *source)
{
    print_text(out, text_of(source, "name"));
    if (is_known(source, "partition"))
        (void)fprintf(out, "[%lld]", (long long)number_of(source, "partition"));
}

static void print_message(FILE *out, const json_t *source, json_int_t position)
{
    print_source(out, source);
    (void)fprintf(out, "%c%lld", is_known(source, "partition") ? '@' : '#',
                  (long long)position);
}

/* ---- where the message is, and what to do ---- */

/* The worker of this stage, batcher and number; NULL: none. */
static const json_t *find_worker(const json_t *page, const char *stage,
                                 const json_t *oldest)
{
    const json_t *workers = json_object_get(page, "workers");

    for (size_t i = 0; i < json_array_size(workers); i++) {
        const json_t *worker = json_array_get(workers, i);

        if (strcmp(text_of(worker, "stage"), stage) == 0 &&
            strcmp(text_of(worker, "batcher"), text_of(oldest, "batcher")) ==
                0 &&
            number_of(worker, "index") == number_of(oldest, "worker"))
            return worker;
    }
    return NULL;
}

static bool is_same_message(const json_t *callback, const json_t *source,
                            const json_t *oldest)
{
    return strcmp(text_of(callback, "name"), text_of(source, "name")) == 0 &&
           number_of(callback, "partition") == number_of(source, "partition") &&
           number_of(callback, "position") == number_of(oldest, "position");
}

static void explain_handler(const json_t *page, const json_t *source,
                            const json_t *oldest, FILE *out)
{
    const json_t *worker = find_worker(page, "processors", oldest);
    const json_t *callback = json_object_get(worker, "callback");
    const int number = (int)number_of(oldest, "worker");

    if (json_is_object(callback) &&
        !is_same_message(callback, source, oldest)) {
        (void)fprintf(out,
                      "handled by worker %d, and goes on with its hand, "
                      "which is at ",
                      number);
        print_message(out, callback, number_of(callback, "position"));
        (void)fprintf(out, " for %s",
                      span_of(number_of(callback, "for_ms")).text);
    } else {
        (void)fprintf(out, "in the handler, on worker %d", number);
    }
    (void)fprintf(
        out,
        ", attempt %lld\n        do: find out what the handler waits for; "
        "with processors.timeout the log shows its stack\n",
        (long long)number_of(oldest, "attempt"));
}

static void explain_queue(const json_t *page, FILE *out)
{
    const json_t *workers = json_object_get(page, "workers");
    unsigned busy = 0, count = 0;

    for (size_t i = 0; i < json_array_size(workers); i++) {
        const json_t *worker = json_array_get(workers, i);

        if (strcmp(text_of(worker, "stage"), "processors") != 0)
            continue;
        count++;
        busy += number_of(worker, "in_hand") > 0;
    }
    (void)fprintf(out,
                  "waits for a worker; %u of %u are busy\n        do: nothing, "
                  "if it moves; else more processors.concurrency, or a faster "
                  "handler\n",
                  busy, count);
}

static void explain_sink(const json_t *page, const json_t *oldest, FILE *out)
{
    const json_t *worker = find_worker(page, "sink", oldest);

    (void)fprintf(out, "at the sink of %s, worker %d",
                  text_of(oldest, "batcher"), (int)number_of(oldest, "worker"));
    if (worker && !is_true(worker, "is_connected")) {
        (void)fprintf(out, ", whose destination is down for %s: ",
                      span_of(number_of(worker, "down_ms")).text);
        print_text(out, text_of(worker, "trouble"));
        (void)fprintf(out, "\n        do: bring the destination back; what was "
                           "taken is held meanwhile\n");
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
                  (long long)number_of(oldest, "attempt"), todo);
}

static void explain_batcher(const json_t *page, const json_t *oldest, FILE *out)
{
    const json_t *batchers = json_object_get(page, "batchers");
    const char *name = text_of(oldest, "batcher");
    bool is_blocked = false;

    for (size_t i = 0; i < json_array_size(batchers); i++) {
        const json_t *batcher = json_array_get(batchers, i);

        if (strcmp(text_of(batcher, "name"), name) == 0)
            is_blocked = is_true(batcher, "is_blocked");
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
    const char *where = text_of(oldest, "where");

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
    const char *hold = text_of(source, "hold");

    if (strcmp(hold, "window") == 0)
        (void)fprintf(out,
                      "    nothing more of it is read: %lld of %lld messages "
                      "of its window are not settled\n",
                      (long long)number_of(source, "window"),
                      (long long)number_of(source, "window_limit"));
    else if (strcmp(hold, "memory") == 0)
        (void)fprintf(out, "    nothing more of it is read: it has its share "
                           "of the memory\n");
    else if (strcmp(hold, "waiting") == 0)
        (void)fprintf(out,
                      "    nothing more of it is read: %lld of its "
                      "messages wait for a worker\n",
                      (long long)number_of(source, "waiting"));
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
    print_message(out, source, number_of(oldest, "position"));
    (void)fprintf(out, " for %s", span_of(number_of(oldest, "oldest_ms")).text);
    (void)fprintf(out, ", where it is for %s:\n        ",
                  span_of(number_of(oldest, "there_ms")).text);
    explain_place(page, source, oldest, out);
    if (text_of(oldest, "why")[0]) {
        (void)fputs("        last error: ", out);
        print_text(out, text_of(oldest, "why"));
        (void)fputc('\n', out);
    }
}

static void explain_source(const json_t *page, const json_t *source, FILE *out)
{
    print_source(out, source);
    if (is_known(source, "committed"))
        (void)fprintf(out, ": committed %lld, read up to %lld",
                      (long long)number_of(source, "committed"),
                      (long long)number_of(source, "position"));
    else
        (void)fprintf(out, ": %lld delivered and not acknowledged",
                      (long long)number_of(source, "window"));
    if (is_known(source, "lag"))
        (void)fprintf(out, ", lag %lld", (long long)number_of(source, "lag"));
    if (is_known(source, "behind_ms") && number_of(source, "behind_ms") > 0)
        (void)fprintf(out, " (%s)",
                      span_of(number_of(source, "behind_ms")).text);
    (void)fprintf(out, ", %lld open\n", (long long)number_of(source, "open"));
    explain_hold(source, out);
    explain_oldest(page, source, out);
}

/* ---- mailboxes and connections ---- */

static void explain_mailbox(const json_t *box, FILE *out)
{
    const char *batcher = text_of(box, "batcher");
    const char *from = text_of(box, "from"), *to = text_of(box, "to");

    (void)fprintf(out, "%s to %s%s%s: %lld", from, to, batcher[0] ? " of " : "",
                  batcher, (long long)number_of(box, "messages"));
    if (number_of(box, "max_messages") > 0)
        (void)fprintf(out, " of %lld",
                      (long long)number_of(box, "max_messages"));
    (void)fprintf(out, " messages");
    if (number_of(box, "max_batches") > 0)
        (void)fprintf(out, ", %lld of %lld batches",
                      (long long)number_of(box, "batches"),
                      (long long)number_of(box, "max_batches"));
    if (is_true(box, "has_waiting_writers"))
        (void)fprintf(out, "; %s waits for %s", from, to);
    else if (is_true(box, "has_waiting_readers"))
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
    const char *limit = limit_text(text_of(producer, "limit"));

    if (is_true(producer, "is_at_end")) {
        (void)fprintf(out, "producer %zu is at the end of its sources\n",
                      index);
    } else if (!is_true(producer, "is_connected")) {
        (void)fprintf(out, "producer %zu has no connection: ", index);
        print_text(out, text_of(producer, "trouble")[0]
                            ? text_of(producer, "trouble")
                            : "nothing answered yet");
        (void)fprintf(out, "\n    do: see to the broker; it is tried again\n");
    } else if (limit) {
        (void)fprintf(out, "producer %zu %s\n", index, limit);
    }
}

static void explain_connection(const json_t *worker, FILE *out)
{
    if (strcmp(text_of(worker, "stage"), "sink") != 0 ||
        is_true(worker, "is_connected") || is_true(worker, "is_over"))
        return;
    (void)fprintf(out, "sink of %s, worker %lld: down for %s: ",
                  text_of(worker, "batcher"),
                  (long long)number_of(worker, "index"),
                  span_of(number_of(worker, "down_ms")).text);
    print_text(out, text_of(worker, "trouble"));
    (void)fprintf(out,
                  "\n    do: bring the destination back; what was taken is "
                  "held meanwhile\n");
}

static void each(const json_t *page, const char *name,
                 void (*say)(const json_t *item, FILE *out), FILE *out)
{
    const json_t *list = json_object_get(page, name);

    for (size_t i = 0; i < json_array_size(list); i++)
        say(json_array_get(list, i), out);
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
    each(page, "workers", explain_connection, out);
    (void)fputc('\n', out);
    each(page, "mailboxes", explain_mailbox, out);
}
