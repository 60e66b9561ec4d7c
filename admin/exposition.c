/*
 * exposition.c - the text form in which Prometheus reads metrics.
 *
 * Threads: any; writes to the caller's stream.
 */
#include "exposition.h"

#include <stdint.h>

#include "plain.h"

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

void exposition_family(const struct exposition *exposition, const char *name,
                       const char *type, const char *help)
{
    (void)fprintf(exposition->out, "# HELP %s %s\n# TYPE %s %s\n", name, help,
                  name, type);
}

void exposition_sample(const struct exposition *exposition, const char *name,
                       const char *label, const char *label_value, double value)
{
    FILE *out = exposition->out;

    (void)fprintf(out, "%s{pipeline=\"", name);
    write_escaped(out, exposition->pipeline);
    if (label) {
        (void)fprintf(out, "\",%s=\"", label);
        write_escaped(out, label_value);
    }
    if (value > -1e15 && value < 1e15 && value == (double)(int64_t)value)
        (void)fprintf(out, "\"} %.0f\n", value);
    else
        (void)fprintf(out, "\"} %.17g\n", value);
}

static void write_labels(const struct exposition *exposition, const char *name,
                         const char *part,
                         const struct exposition_labels *labels)
{
    FILE *out = exposition->out;

    (void)fprintf(out, "%s_%s{pipeline=\"", name, part);
    write_escaped(out, exposition->pipeline);
    if (labels->stage) {
        (void)fputs("\",stage=\"", out);
        write_escaped(out, labels->stage);
    }
    if (labels->batcher) {
        (void)fputs("\",batcher=\"", out);
        write_escaped(out, labels->batcher);
    }
    (void)fputc('"', out);
}

void exposition_histogram(const struct exposition *exposition, const char *name,
                          const struct exposition_labels *labels,
                          const struct histogram_view *view)
{
    FILE *out = exposition->out;
    uint64_t count = 0;

    for (unsigned i = 0; i < HISTOGRAM_BOUNDS; i++) {
        count += view->counts[i];
        write_labels(exposition, name, "bucket", labels);
        (void)fprintf(out, ",le=\"%g\"} %llu\n",
                      (double)histogram_bounds_us[i] / 1e6,
                      (unsigned long long)count);
    }
    write_labels(exposition, name, "bucket", labels);
    (void)fprintf(out, ",le=\"+Inf\"} %llu\n", (unsigned long long)view->count);
    write_labels(exposition, name, "sum", labels);
    (void)fprintf(out, "} %.6f\n", (double)view->sum_us / 1e6);
    write_labels(exposition, name, "count", labels);
    (void)fprintf(out, "} %llu\n", (unsigned long long)view->count);
}
