/*
 * kafka_version.h - which librdkafka this process runs with.
 */
#ifndef WEIR_KAFKA_VERSION_H
#define WEIR_KAFKA_VERSION_H

/* "2.0.2", of the library that was loaded, not of its headers. */
const char *kafka_client_version(void);

#endif
