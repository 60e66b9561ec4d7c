/*
 * stdin_producer.h - a source of the lines of standard input.
 */
#ifndef WEIR_STDIN_PRODUCER_H
#define WEIR_STDIN_PRODUCER_H

#include <weir/producer.h>

extern const struct weir_producer_ops weir_stdin_producer;

#endif
