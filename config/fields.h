/*
 * fields.h - which %{name} a template over a message may use.
 *
 * A list is "topic|key|header.": behind a name that ends with a dot follows
 * another one, which may be anything.
 */
#ifndef WEIR_CONFIG_FIELDS_H
#define WEIR_CONFIG_FIELDS_H

#include <weir/producer.h>
#include <weir/settings.h>

/*
 * Refuses what is wrong with every template in `settings` (a connector's, or
 * one value of it), at its place: that it is none, and each name that a message
 * read by `ops` doesn't have.  With FIELDS_OF_SINK it may also name what the
 * handler made.  `ops` NULL, as it was refused: any name will do.
 */
enum fields_whose { FIELDS_OF_SOURCE = 0, FIELDS_OF_SINK };

void fields_check(const struct weir_settings *settings,
                  const struct weir_producer_ops *ops, enum fields_whose whose);

#endif
