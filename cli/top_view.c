/*
 * top_view.c - what `weir top` shows, as lines of text.
 *
 *     orders   in 1,200/s  done 1,180/s  rejected 2/s  in flight 512
 *     source       committed   position   lag  behind  open  held by
 *     worker       in hand  at
 *     mailbox      messages
 *     failed last
 *
 * Threads: none; one call at a time.
 */
#include "top_view.h"

#include <string.h>

#include "clock.h"
#include "figure.h"
#include "page.h"

enum { FAILURES = 5 };

/* ---- the head ---- */

static void print_rate(const char *name, json_int_t now, json_int_t before,
                       double seconds, FILE *out)
{
    const double rate =
        seconds > 0 && now >= before ? (double)(now - before) / seconds : 0;
    struct figure text;

    (void)fprintf(out, "  %s %s/s", name,
                  figure(&text, (uint64_t)(rate + 0.5)));
}

static void print_sum(const char *name, const json_t *ledger, FILE *out)
{
    struct figure text;

    (void)fprintf(out, "  %s %s", name,
                  figure(&text, (uint64_t)page_number(ledger, name)));
}

static void print_head(const json_t *page, const json_t *ledger, int64_t now_us,
                       struct top_before *before, FILE *out)
{
    const struct top_before now = {.at_us = now_us,
                                   .received = page_number(ledger, "received"),
                                   .done = page_number(ledger, "done"),
                                   .rejected = page_number(ledger, "rejected")};
    const double seconds =
        before->at_us > 0
            ? (double)(now_us - before->at_us) / (double)CLOCK_SECOND_US
            : 0;

    page_print(out, page_text(page, "pipeline"));
    print_rate("received", now.received, before->received, seconds, out);
    print_rate("done", now.done, before->done, seconds, out);
    print_rate("rejected", now.rejected, before->rejected, seconds, out);
    (void)fputs("\nin all", out);
    print_sum("received", ledger, out);
    print_sum("done", ledger, out);
    print_sum("rejected", ledger, out);
    print_sum("abandoned", ledger, out);
    (void)fprintf(out, "  in flight %lld\nmemory %lld of %lld KiB\n",
                  (long long)page_number(ledger, "in_flight"),
                  (long long)page_number(page, "memory_used") / 1024,
                  (long long)page_number(page, "memory_limit") / 1024);
    *before = now;
}

/* Where the file and what runs are not the same. */
static void print_reload(const json_t *reload, FILE *out)
{
    const json_t *last = json_object_get(reload, "last");
    const json_int_t count = page_number(last, "needs_restart_count");

    if (strcmp(page_text(last, "result"), "refused") == 0) {
        (void)fputs("the last reload was refused: ", out);
        page_print(out, page_text(last, "why"));
        (void)fputc('\n', out);
    } else if (count > 0) {
        (void)fprintf(out, "%lld keys of the file need a restart\n",
                      (long long)count);
    }
}

/* ---- tables ---- */

static void print_known(const json_t *object, const char *name, FILE *out)
{
    if (page_is_known(object, name))
        (void)fprintf(out, " %12lld", (long long)page_number(object, name));
    else
        (void)fprintf(out, " %12s", "-");
}

/* Padded to a width, cut off with an ellipsis at its end. */
static void print_name(const json_t *source, FILE *out)
{
    char name[400];
    const char *topic = page_text(source, "name");

    if (page_is_known(source, "partition"))
        (void)snprintf(name, sizeof name, "%s[%lld]", topic,
                       (long long)page_number(source, "partition"));
    else
        (void)snprintf(name, sizeof name, "%s", topic);
    if (strlen(name) > 28)
        (void)snprintf(name + 25, sizeof name - 25, "...");
    page_print(out, name);
    for (size_t i = strlen(name); i < 28; i++)
        (void)fputc(' ', out);
}

static void print_source_row(const json_t *source, FILE *out)
{
    const json_t *oldest = json_object_get(source, "oldest");

    print_name(source, out);
    print_known(source, "committed", out);
    print_known(source, "position", out);
    print_known(source, "lag", out);
    print_known(source, "open", out);
    if (json_is_object(oldest)) {
        (void)fprintf(out, "  %lld %s",
                      (long long)page_number(oldest, "position"),
                      page_text(oldest, "where"));
        if (page_text(oldest, "batcher")[0])
            (void)fprintf(out, " %s", page_text(oldest, "batcher"));
        (void)fprintf(out, " %s",
                      page_span(page_number(oldest, "oldest_ms")).text);
    }
    if (page_text(source, "hold")[0])
        (void)fprintf(out, " (not read: %s)", page_text(source, "hold"));
    (void)fputc('\n', out);
}

static void print_producer_row(const json_t *producer, FILE *out)
{
    if (page_is_true(producer, "is_connected") ||
        page_is_true(producer, "is_at_end"))
        return;
    (void)fputs("no connection: ", out);
    page_print(out, page_text(producer, "trouble"));
    (void)fputc('\n', out);
}

static void print_worker_row(const json_t *worker, FILE *out)
{
    const json_t *callback = json_object_get(worker, "callback");
    const char *batcher = page_text(worker, "batcher");
    char name[80];

    (void)snprintf(name, sizeof name, "%s%s%.40s %lld",
                   page_text(worker, "stage"), batcher[0] ? " " : "", batcher,
                   (long long)page_number(worker, "index"));
    (void)fprintf(out, "%-28s %12lld  ", name,
                  (long long)page_number(worker, "in_hand"));
    if (page_number(worker, "down_ms") > 0) {
        (void)fprintf(out, "down for %s: ",
                      page_span(page_number(worker, "down_ms")).text);
        page_print(out, page_text(worker, "trouble"));
    } else if (json_is_object(callback)) {
        page_print_message(out, callback, page_number(callback, "position"));
        (void)fprintf(out, " for %s",
                      page_span(page_number(callback, "for_ms")).text);
    }
    (void)fputc('\n', out);
}

static void print_mailbox_row(const json_t *box, FILE *out)
{
    const char *batcher = page_text(box, "batcher");
    char name[100];

    (void)snprintf(name, sizeof name, "%s to %s%s%.40s", page_text(box, "from"),
                   page_text(box, "to"), batcher[0] ? " " : "", batcher);
    (void)fprintf(out, "%-28s %12lld  ", name,
                  (long long)page_number(box, "messages"));
    if (page_number(box, "max_messages") > 0)
        (void)fprintf(out, "of %lld ",
                      (long long)page_number(box, "max_messages"));
    if (page_is_true(box, "has_waiting_writers"))
        (void)fputs("full", out);
    (void)fputc('\n', out);
}

static void print_failures(const json_t *page, FILE *out)
{
    const json_t *list = json_object_get(page, "failures");

    if (json_array_size(list) > 0)
        (void)fputs("\nfailed last\n", out);
    for (size_t i = 0; i < json_array_size(list) && i < FAILURES; i++) {
        const json_t *failure = json_array_get(list, i);

        page_print_message(out, failure, page_number(failure, "position"));
        (void)fprintf(out, " (%s): ", page_text(failure, "code"));
        page_print(out, page_text(failure, "reason"));
        (void)fputc('\n', out);
    }
}

void top_view(const json_t *page, const json_t *ledger, int64_t now_us,
              struct top_before *before, FILE *out)
{
    print_head(page, ledger, now_us, before, out);
    print_reload(json_object_get(page, "reload"), out);
    page_each(page, "producers", print_producer_row, out);
    (void)fprintf(out, "\n%-28s %12s %12s %12s %12s  %s\n", "source",
                  "committed", "position", "lag", "open", "held by");
    page_each(page, "sources", print_source_row, out);
    (void)fprintf(out, "\n%-28s %12s  %s\n", "worker", "in hand", "at");
    page_each(page, "workers", print_worker_row, out);
    (void)fprintf(out, "\n%-28s %12s\n", "mailbox", "messages");
    page_each(page, "mailboxes", print_mailbox_row, out);
    print_failures(page, out);
}
