/*
 * template.h - texts with %{name} places, filled in by the caller.
 *
 * "%{header.x}-%{key}"; "%%{" is a literal "%{".  What the names mean is the
 * caller's business: here they are text.
 */
#ifndef WEIR_BASE_TEMPLATE_H
#define WEIR_BASE_TEMPLATE_H

#include <stddef.h>

#include <weir/bytes.h>
#include <weir/status.h>

struct template;

/* The value of `name`; absent counts as empty.  Borrowed until the next call.
 */
typedef struct weir_bytes (*template_lookup_fn)(void *opaque, const char *name);

/* WEIR_REJECT: an unclosed or empty place; `err` says which. */
WEIR_MUST_USE
enum weir_status template_parse(const char *text,
                                struct template **ret_template,
                                struct weir_error *err);
void template_destroy(struct template *template); /* NULL is fine */

size_t template_name_count(const struct template *template);
const char *template_name(const struct template *template, size_t index);

/*
 * Writes at most `size` bytes to `out`, without a NUL; returns the bytes that
 * the whole text has, as snprintf() does.
 */
size_t template_render(const struct template *template,
                       template_lookup_fn lookup, void *opaque, char *out,
                       size_t size);

#endif
