/*
 * generator.h - a source that makes its messages itself.
 */
#ifndef WEIR_GENERATOR_H
#define WEIR_GENERATOR_H

#include <weir/producer.h>

extern const struct weir_producer_ops weir_generator_producer;

#endif
