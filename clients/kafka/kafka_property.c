/*
 * kafka_property.c - librdkafka properties that a topology may not set itself.
 *
 * The promises about offsets, commits and order rest on these properties, so
 * their values are weir's.  Each has a key of weir's own, or a reason.
 */
#include "kafka_property.h"

#include <stddef.h>
#include <string.h>

#define COMMITS    "weir commits by itself: see `commit_interval` instead"
#define READS      "weir only reads with this client: remove it"
#define WRITES     "weir only writes with this client: remove it"
#define SAFE       "weir keeps what is sent in order, once and confirmed: remove it"
#define TLS        "weir chooses it: use `tls` and `sasl` instead"
#define START      "weir resolves it: use `start` and `on_gap` instead"
#define LOGS       "weir reads the client's log: remove it"
#define USE(key)   "use `" key "` instead"
#define BOTH(text) text, text

/* NULL: may be set. */
static const struct {
    const char *name, *reader, *writer;
} owned[] = {
    {"bootstrap.servers", BOTH(USE("brokers"))},
    {"metadata.broker.list", BOTH(USE("brokers"))},
    {"group.id", USE("group"), WRITES},
    {"group.protocol", "weir needs the classic protocol: remove it", WRITES},
    {"group.remote.assignor", USE("assignor"), WRITES},
    {"partition.assignment.strategy", USE("assignor"), WRITES},
    {"enable.auto.commit", COMMITS, WRITES},
    {"auto.commit.enable", COMMITS, WRITES},
    {"auto.commit.interval.ms", USE("commit_interval"), WRITES},
    {"enable.auto.offset.store", COMMITS, WRITES},
    {"offset.store.method", COMMITS, WRITES},
    {"offset.store.path", COMMITS, WRITES},
    {"offset.store.sync.interval.ms", COMMITS, WRITES},
    {"auto.offset.reset", START, WRITES},
    {"enable.partition.eof", "weir finds the end by position: remove it",
     WRITES},
    {"security.protocol", BOTH(TLS)},
    {"ssl.ca.location", BOTH(USE("tls.ca"))},
    {"ssl.ca.pem", BOTH(USE("tls.ca"))},
    {"ssl.certificate.location", BOTH(USE("tls.cert"))},
    {"ssl.certificate.pem", BOTH(USE("tls.cert"))},
    {"ssl.key.location", BOTH(USE("tls.key"))},
    {"ssl.key.pem", BOTH(USE("tls.key"))},
    {"ssl.key.password", BOTH(USE("tls.key_password"))},
    {"enable.ssl.certificate.verification", BOTH(USE("tls.verify"))},
    {"ssl.endpoint.identification.algorithm", BOTH(USE("tls.verify"))},
    {"sasl.mechanism", BOTH(USE("sasl.mechanism"))},
    {"sasl.mechanisms", BOTH(USE("sasl.mechanism"))},
    {"sasl.username", BOTH(USE("sasl.username"))},
    {"sasl.password", BOTH(USE("sasl.password"))},
    {"acks", READS, SAFE},
    {"request.required.acks", READS, SAFE},
    {"enable.idempotence", READS, SAFE},
    {"enable.gapless.guarantee", READS, SAFE},
    {"transactional.id", READS, SAFE},
    {"log.queue", BOTH(LOGS)},
    {"enabled_events", BOTH(LOGS)},
    {"compression.codec", READS, USE("compression")},
    {"compression.type", READS, USE("compression")},
    {"partitioner", READS, USE("partitioner")},
    {"delivery.report.only.error", READS, SAFE},
    {"max.in.flight", READS, SAFE},
    {"max.in.flight.requests.per.connection", READS, SAFE},
    {"message.send.max.retries", READS, SAFE},
    {"retries", READS, SAFE},
    {"message.timeout.ms", READS,
     "weir tries for as long as it takes: remove it"},
    {"delivery.timeout.ms", READS,
     "weir tries for as long as it takes: remove it"},
    {"queuing.strategy", READS, SAFE},
};

#undef COMMITS
#undef READS
#undef WRITES
#undef SAFE
#undef TLS
#undef START
#undef LOGS
#undef USE
#undef BOTH

static const char *const secret_parts[] = {"password", "secret", "oauthbearer",
                                           "pem", "jaas"};

const char *kafka_property_refusal(const char *name, enum kafka_role role)
{
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        if (strcmp(name, owned[i].name) == 0)
            return role == KAFKA_READS ? owned[i].reader : owned[i].writer;
    return NULL;
}

bool kafka_property_is_secret(const char *name)
{
    for (size_t i = 0; i < sizeof secret_parts / sizeof secret_parts[0]; i++)
        if (strstr(name, secret_parts[i]))
            return true;
    return false;
}
