/*
 * exposition.c - the text form in which Prometheus reads metrics.
 *
 * Threads: any; writes to the caller's stream.
 */
#include "exposition.h"

#include <stdint.h>
#include <string.h>

#include "plain.h"

static const char *const types[METRIC_TYPE_COUNT] = {
    [METRIC_COUNTER] = "counter",
    [METRIC_GAUGE] = "gauge",
    [METRIC_HISTOGRAM] = "histogram"};

static void write_escaped(FILE *out, const char *text)
{
    char clean[512];

    for (const char *c = plain_utf8(text, clean, sizeof clean); *c != '\0';
         c++) {
        if (*c == '\n')
            (void)fputs("\\n", out);
        else if (*c == '"' || *c == '\\')
            (void)fprintf(out, "\\%c", *c);
        else
            (void)fputc(*c, out);
    }
}

/* Before the first sample of its name. */
static void begin_family(struct exposition *exposition,
                         const struct metric *metric)
{
    if (exposition->family && strcmp(exposition->family, metric->name) == 0)
        return;
    exposition->family = metric->name;
    (void)fprintf(exposition->out, "# HELP %s %s\n# TYPE %s %s\n", metric->name,
                  metric->help, metric->name, types[metric->type]);
}

/* `name` with its labels, and `bound` where there is one. */
static void write_name(FILE *out, const char *name, const char *part,
                       const struct metric_labels *labels, const char *bound)
{
    const char *before = "{";

    (void)fprintf(out, "%s%s", name, part);
    for (const struct metric_label *label = labels->list; label->name;
         label++) {
        (void)fprintf(out, "%s%s=\"", before, label->name);
        write_escaped(out, label->value);
        (void)fputc('"', out);
        before = ",";
    }
    if (bound)
        (void)fprintf(out, "%sle=\"%s\"", before, bound);
    (void)fputs("} ", out);
}

static void write_number(void *self, const struct metric *metric,
                         const struct metric_labels *labels, double value)
{
    struct exposition *exposition = self;
    FILE *out = exposition->out;

    begin_family(exposition, metric);
    write_name(out, metric->name, "", labels, NULL);
    if (value > -1e15 && value < 1e15 && value == (double)(int64_t)value)
        (void)fprintf(out, "%.0f\n", value);
    else
        (void)fprintf(out, "%.17g\n", value);
}

static void write_histogram(void *self, const struct metric *metric,
                            const struct metric_labels *labels,
                            const struct histogram_view *view)
{
    struct exposition *exposition = self;
    FILE *out = exposition->out;
    uint64_t count = 0;

    begin_family(exposition, metric);
    for (unsigned i = 0; i < HISTOGRAM_BOUNDS; i++) {
        char bound[32];

        count += view->counts[i];
        (void)snprintf(bound, sizeof bound, "%g",
                       (double)histogram_bounds_us[i] / 1e6);
        write_name(out, metric->name, "_bucket", labels, bound);
        (void)fprintf(out, "%llu\n", (unsigned long long)count);
    }
    write_name(out, metric->name, "_bucket", labels, "+Inf");
    (void)fprintf(out, "%llu\n", (unsigned long long)view->count);
    write_name(out, metric->name, "_sum", labels, NULL);
    (void)fprintf(out, "%.6f\n", (double)view->sum_us / 1e6);
    write_name(out, metric->name, "_count", labels, NULL);
    (void)fprintf(out, "%llu\n", (unsigned long long)view->count);
}

struct metrics_form exposition_form(struct exposition *exposition)
{
    return (struct metrics_form){.self = exposition,
                                 .number = write_number,
                                 .histogram = write_histogram};
}
