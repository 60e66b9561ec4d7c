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
