/*
 * report.c - collects everything that is wrong with a topology file.
 *
 * A refusal is whole: every error of the file at once, in the order in which
 * they stand there.  So nobody stops at the first one; whoever finds one notes
 * it here, puts a harmless value in its place and goes on.
 *
 * Texts may quote the file, and a file may hold anything: what would move the
 * cursor is replaced, what stands between "://" and "@" is struck out, and so
 * is every secret, whoever quotes it: a connector's check() knows a value, and
 * not where it came from.  After REPORT_COUNT_MAX errors only the count goes
 * on.
 *
 * Threads: none; the loader's.
 */
#include "report.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void make_printable(char *text)
{
    for (; *text; text++) {
        if (iscntrl((unsigned char)*text))
            *text = '?';
    }
}

/* "amqp://guest:guest@host" loses what is before the @, in place.  Rather too
 * much than too little: a password may hold any character. */
static void strike_userinfo(char *text)
{
    char *scheme = strstr(text, "://");

    while (scheme) {
        char *start = scheme + 3;
        size_t span = strcspn(start, " \"'`");
        char *at = NULL;

        for (size_t i = 0; i < span; i++) {
            if (start[i] == '@')
                at = start + i;
        }
        if (at && at - start >= 3) {
            memset(start, '*', 3);
            memmove(start + 3, at, strlen(at) + 1);
        } else if (at) {
            memset(start, '*', (size_t)(at - start));
        }
        scheme = strstr(start, "://");
    }
}

/* Shorter ones are words of any sentence. */
enum { SECRET_MIN = 3 };

static void strike(char *text, struct weir_bytes secret)
{
    char *found = memmem(text, strlen(text), secret.data, secret.size);

    while (found) {
        char *rest = found + secret.size;

        memset(found, '*', SECRET_MIN);
        memmove(found + SECRET_MIN, rest, strlen(rest) + 1);
        found += SECRET_MIN;
        found = memmem(found, strlen(found), secret.data, secret.size);
    }
}

/* The text was cut off: perhaps in the middle of one. */
static void strike_end(char *text, struct weir_bytes secret)
{
    const size_t size = strlen(text);
    size_t part = secret.size < size ? secret.size - 1 : size;

    while (part >= SECRET_MIN &&
           memcmp(text + size - part, secret.data, part) != 0)
        part--;
    if (part >= SECRET_MIN)
        text[size - part] = '\0';
}

static void strike_secrets(const struct report *report, char *text,
                           bool is_cut_off)
{
    for (const struct report_secret *secret = report->secrets; secret;
         secret = secret->next) {
        strike(text, secret->text);
        if (is_cut_off)
            strike_end(text, secret->text);
    }
}

void report_hide(struct report *report, struct storage *storage,
                 struct weir_bytes text)
{
    struct report_secret *secret;

    report->has_secret = true;
    if (text.size < SECRET_MIN)
        return;
    secret = storage_alloc(storage, sizeof *secret);
    if (!secret) {
        report->is_out_of_memory = true;
        return;
    }
    *secret = (struct report_secret){.next = report->secrets, .text = text};
    report->secrets = secret;
}

static struct topology_error *error_append(struct report *report)
{
    struct topology_errors *errors = report->errors;
    struct topology_error *list =
        realloc(errors->list, (errors->count + 1) * sizeof *list);

    if (!list)
        return NULL;
    errors->list = list;
    list[errors->count] = (struct topology_error){0};
    return &list[errors->count++];
}

void report_add(struct report *report, const struct report_where *where,
                const char *fmt, va_list args)
{
    char text[REPORT_TEXT_MAX];
    struct topology_error *error;
    int size;

    if (!where->is_warning)
        report->errors->error_count++;
    if (report->errors->count >= REPORT_COUNT_MAX)
        return;
    size = vsnprintf(text, sizeof text, fmt, args);
    strike_secrets(report, text, size >= (int)sizeof text);
    make_printable(text);
    strike_userinfo(text);
    error = error_append(report);
    if (!error) {
        report->is_out_of_memory = true;
        return;
    }
    error->file = strdup(where->place.line > 0 ? report->file : "--set");
    error->line = where->place.line;
    error->column = where->place.column;
    error->path = strdup(where->path);
    error->text = strdup(text);
    error->is_warning = where->is_warning;
    if (!error->file || !error->path || !error->text)
        report->is_out_of_memory = true;
    else
        make_printable(error->path);
}

void report_at(struct report *report, const struct report_where *where,
               const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    report_add(report, where, fmt, args);
    va_end(args);
}

void report_value(struct report *report, const struct node *node,
                  const char *fmt, ...)
{
    char path[REPORT_PATH_MAX];
    const struct report_where where = {.place = node->value_place,
                                       .path = path};
    va_list args;

    node_path(node, path, sizeof path);
    va_start(args, fmt);
    report_add(report, &where, fmt, args);
    va_end(args);
}

void report_key(struct report *report, const struct node *node, const char *fmt,
                ...)
{
    char path[REPORT_PATH_MAX];
    const struct report_where where = {.place = node->key_place, .path = path};
    va_list args;

    node_path(node, path, sizeof path);
    va_start(args, fmt);
    report_add(report, &where, fmt, args);
    va_end(args);
}

static void path_join(const struct node *node, const char *name, char *out,
                      size_t size)
{
    size_t used;

    node_path(node, out, size);
    used = strlen(out);
    if (name[0] != '\0')
        (void)snprintf(out + used, size - used, "%s%s", used > 0 ? "." : "",
                       name);
}

void report_under(struct report *report, const struct node *node,
                  const char *name, const char *fmt, ...)
{
    char path[REPORT_PATH_MAX];
    const struct report_where where = {.place = node->key_place, .path = path};
    va_list args;

    path_join(node, name, path, sizeof path);
    va_start(args, fmt);
    report_add(report, &where, fmt, args);
    va_end(args);
}

void report_warning(struct report *report, const struct node *node,
                    const char *name, const char *fmt, ...)
{
    char path[REPORT_PATH_MAX];
    const struct report_where where = {
        .place = node->key_place, .path = path, .is_warning = true};
    va_list args;

    path_join(node, name, path, sizeof path);
    va_start(args, fmt);
    report_add(report, &where, fmt, args);
    va_end(args);
}

static unsigned sort_line(const struct topology_error *error)
{
    return error->line > 0 ? error->line : UINT32_MAX; /* --set comes last */
}

static bool comes_after(const struct topology_error *a,
                        const struct topology_error *b)
{
    if (sort_line(a) != sort_line(b))
        return sort_line(a) > sort_line(b);
    return a->column > b->column;
}

/* By insertion: few, nearly sorted, and those of one place keep their order. */
void report_sort(struct report *report)
{
    struct topology_error *list = report->errors->list;

    for (size_t i = 1; i < report->errors->count; i++) {
        const struct topology_error moving = list[i];
        size_t at = i;

        while (at > 0 && comes_after(&list[at - 1], &moving)) {
            list[at] = list[at - 1];
            at--;
        }
        list[at] = moving;
    }
}

void topology_errors_finish(struct topology_errors *errors)
{
    for (size_t i = 0; i < errors->count; i++) {
        free(errors->list[i].file);
        free(errors->list[i].path);
        free(errors->list[i].text);
    }
    free(errors->list);
    *errors = (struct topology_errors){0};
}

int topology_error_format(const struct topology_error *error, char *out,
                          size_t size)
{
    const char *separator = error->path[0] != '\0' ? ": " : "";
    const char *severity = error->is_warning ? "warning: " : "";

    if (error->line == 0)
        return snprintf(out, size, "%s: %s%s%s%s", error->file, error->path,
                        separator, severity, error->text);
    return snprintf(out, size, "%s:%u:%u: %s%s%s%s", error->file, error->line,
                    error->column, error->path, separator, severity,
                    error->text);
}
