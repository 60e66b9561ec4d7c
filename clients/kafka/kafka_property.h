/*
 * kafka_property.h - librdkafka properties that a topology may not set itself.
 */
#ifndef WEIR_KAFKA_PROPERTY_H
#define WEIR_KAFKA_PROPERTY_H

#include <stdbool.h>

#include "kafka_access.h"

/* Why `name` can't be used in `properties:`, as a sentence that names the key
 * to use instead; NULL when it can. */
const char *kafka_property_refusal(const char *name, enum kafka_role role);

/* Its value must not be shown. */
bool kafka_property_is_secret(const char *name);

#endif
