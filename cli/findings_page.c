/*
 * findings_page.c - what was found, for people and for programs.
 *
 * Threads: none.
 */
#include "findings_page.h"

#include <jansson.h>

#include "page.h"
#include "plain.h"

size_t findings_page_count(const struct inquiry *inquiry,
                           enum weir_severity severity)
{
    size_t count = 0;

    for (size_t i = 0; i < inquiry->count; i++) {
        const struct weir_findings *findings = &inquiry->list[i].findings;

        for (size_t k = 0; k < findings->count; k++)
            count += findings->list[k].severity == severity;
        count += severity == WEIR_SEVERITY_ERROR && findings->has_lost;
    }
    return count;
}

/* Whoever declares a queue or sets a policy chooses names that are in it. */
static void print_finding(const struct inquiry_subject *subject,
                          const struct finding *finding, FILE *out)
{
    (void)fprintf(out, "%-8s %s: ", findings_name(finding->severity),
                  subject->path);
    page_print(out, finding->where);
    (void)fputs(": ", out);
    page_print(out, finding->what);
    if (finding->advice) {
        (void)fputs(": ", out);
        page_print(out, finding->advice);
    }
    (void)fputc('\n', out);
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

void findings_page_text(const struct findings_page *page, FILE *out)
{
    const struct inquiry *inquiry = page->inquiry;
    const size_t errors = findings_page_count(inquiry, WEIR_SEVERITY_ERROR);
    const size_t warnings = findings_page_count(inquiry, WEIR_SEVERITY_WARNING);

    for (size_t i = 0; i < inquiry->count; i++) {
        const struct inquiry_subject *subject = &inquiry->list[i];

        for (size_t k = 0; k < subject->findings.count; k++)
            print_finding(subject, &subject->findings.list[k], out);
        if (subject->findings.has_lost)
            (void)fprintf(out, "error    %s: weir: out of memory\n",
                          subject->path);
    }
    (void)fprintf(out, "%s: %zu error%s, %zu warning%s, %zu unknown\n",
                  page->file, errors, plural(errors), warnings,
                  plural(warnings),
                  findings_page_count(inquiry, WEIR_SEVERITY_UNKNOWN));
}

/* What others named may be no UTF-8, which must not cost the finding. */
static json_t *text_of(const char *text)
{
    return text ? plain_json(text) : json_null();
}

static void append(json_t *list, const char *path, enum weir_severity severity,
                   const char *where, const char *what, const char *advice)
{
    (void)json_array_append_new(
        list, json_pack("{s:s, s:o, s:o, s:o, s:o}", "severity",
                        findings_name(severity), "path", text_of(path), "where",
                        text_of(where), "what", text_of(what), "advice",
                        text_of(advice)));
}

static void append_errors(json_t *list, const struct findings_page *page)
{
    for (size_t i = 0; i < page->errors->count; i++) {
        const struct topology_error *error = &page->errors->list[i];
        char where[1024];

        if (error->line > 0)
            (void)snprintf(where, sizeof where, "%s:%u:%u", error->file,
                           error->line, error->column);
        else
            (void)snprintf(where, sizeof where, "%s", error->file);
        append(list, error->path,
               error->is_warning ? WEIR_SEVERITY_WARNING : WEIR_SEVERITY_ERROR,
               where, error->text, NULL);
    }
}

static void append_found(json_t *list, const struct inquiry *inquiry)
{
    for (size_t i = 0; inquiry && i < inquiry->count; i++) {
        const struct inquiry_subject *subject = &inquiry->list[i];

        for (size_t k = 0; k < subject->findings.count; k++) {
            const struct finding *finding = &subject->findings.list[k];

            append(list, subject->path, finding->severity, finding->where,
                   finding->what, finding->advice);
        }
    }
}

static json_t *make_list(const struct findings_page *page)
{
    json_t *list = json_array();

    append_errors(list, page);
    if (page->refusal)
        append(list, "processors.handler", WEIR_SEVERITY_ERROR, page->file,
               page->refusal, NULL);
    append_found(list, page->inquiry);
    return list;
}

enum weir_status findings_page_json(const struct findings_page *page, FILE *out)
{
    const bool is_ok =
        page->errors->error_count == 0 && !page->refusal &&
        (!page->inquiry ||
         findings_page_count(page->inquiry, WEIR_SEVERITY_ERROR) == 0);
    json_t *json = json_pack(
        "{s:o, s:b, s:b, s:o}", "file", text_of(page->file), "ok", is_ok,
        "asked", page->inquiry != NULL, "findings", make_list(page));
    const bool is_said = json && json_dumpf(json, out, JSON_INDENT(2)) == 0 &&
                         fputc('\n', out) != EOF;

    json_decref(json);
    return is_said ? WEIR_OK : WEIR_RETRY;
}
