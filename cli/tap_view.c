/*
 * tap_view.c - a message of /api/v1/tap, for people.
 *
 * Threads: none.
 */
#include "tap_view.h"

#include <string.h>
#include <time.h>

#include "page.h"

enum { OUTCOME_WIDTH = 14 };

static void print_time(json_int_t at_ms, FILE *out)
{
    const time_t at = (time_t)(at_ms / 1000);
    char text[32] = "?";
    struct tm local;

    if (localtime_r(&at, &local))
        (void)strftime(text, sizeof text, "%H:%M:%S", &local);
    (void)fprintf(out, "%s.%03d", text, (int)(at_ms % 1000));
}

/* It may be another server's. */
static void print_outcome(const char *outcome, FILE *out)
{
    const size_t size = strlen(outcome);

    (void)fputs("  ", out);
    page_print(out, outcome);
    (void)fprintf(out, "%*s",
                  size < OUTCOME_WIDTH ? OUTCOME_WIDTH - (int)size : 1, "");
}

static void print_latency(json_int_t latency_us, FILE *out)
{
    char text[32];

    if (latency_us < 1000)
        (void)snprintf(text, sizeof text, "%d us", (int)latency_us);
    else if (latency_us < 10000)
        (void)snprintf(text, sizeof text, "%.1f ms", (double)latency_us / 1000);
    else
        (void)snprintf(text, sizeof text, "%s",
                       page_span(latency_us / 1000).text);
    (void)fprintf(out, "%12s", text);
}

static void print_count(const json_t *message, const char *name, FILE *out)
{
    if (page_number(message, name) > 1)
        (void)fprintf(out, ", %lld %s", (long long)page_number(message, name),
                      name);
}

static void print_bytes(const json_t *message, const char *name,
                        const char *name_base64, FILE *out)
{
    const json_t *text = json_object_get(message, name);
    const json_t *base64 = json_object_get(message, name_base64);

    if (!json_is_string(text) && !json_is_string(base64))
        return;
    (void)fprintf(out, "    %s: ", json_is_string(text) ? name : name_base64);
    page_print(out,
               page_text(message, json_is_string(text) ? name : name_base64));
    (void)fputc('\n', out);
}

void tap_view(const json_t *message, FILE *out)
{
    const char *batcher = page_text(message, "batcher");
    const char *reason = page_text(message, "reason");

    print_time(page_number(message, "at_ms"), out);
    print_outcome(page_text(message, "outcome"), out);
    print_latency(page_number(message, "latency_us"), out);
    (void)fputs("  ", out);
    page_print_message(out, message, page_number(message, "position"));
    (void)fprintf(out, "  %lld B", (long long)page_number(message, "size"));
    print_count(message, "attempts", out);
    print_count(message, "deliveries", out);
    if (batcher[0]) {
        (void)fputs(", ", out);
        page_print(out, batcher);
    }
    if (reason[0]) {
        (void)fputs(": ", out);
        page_print(out, reason);
    }
    (void)fputc('\n', out);
    print_bytes(message, "key", "key_base64", out);
    print_bytes(message, "payload", "payload_base64", out);
}
