/*
 * field.h - the names that a %{...} may have.
 *
 * Whoever renders a template asks here what a name means.  Which of them a
 * source has is in its weir_producer_ops; `weir check` refuses others.
 */
#ifndef WEIR_BASE_FIELD_H
#define WEIR_BASE_FIELD_H

enum field {
    FIELD_TOPIC = 0,
    FIELD_PARTITION,
    FIELD_OFFSET,
    FIELD_TIMESTAMP, /* milliseconds since 1970 */
    FIELD_KEY,
    FIELD_BATCH_KEY, /* known only after the handler */
    FIELD_HEADER,
    FIELD_PROPERTY,
    /* must stay last */
    FIELD_COUNT
};

/*
 * FIELD_COUNT: there is no such name.  Of a header, `*ret_rest` is its own
 * name, of a property the property's; otherwise it is "".  It is a part of
 * `name`.
 */
enum field field_parse(const char *name, const char **ret_rest);

#endif
