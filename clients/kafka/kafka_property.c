/*
 * kafka_property.c - librdkafka properties that a topology may not set itself.
 *
 * The promises about offsets, commits and order rest on these properties, so
 * their values are weir's.  Each has a key of weir's own, or a reason.
 */
#include "kafka_property.h"

#include <stddef.h>
#include <string.h>

#define COMMITS  "weir commits by itself: see `commit_interval` instead"
#define READS    "weir only reads with this client: remove it"
#define TLS      "weir chooses it: use `tls` and `sasl` instead"
#define START    "weir resolves it: use `start` and `on_gap` instead"
#define LOGS     "weir reads the client's log: remove it"
#define USE(key) "use `" key "` instead"

static const struct {
    const char *name, *refusal;
} owned[] = {
    {"bootstrap.servers", USE("brokers")},
    {"metadata.broker.list", USE("brokers")},
    {"group.id", USE("group")},
    {"group.protocol", "weir needs the classic protocol: remove it"},
    {"group.remote.assignor", USE("assignor")},
    {"partition.assignment.strategy", USE("assignor")},
    {"enable.auto.commit", COMMITS},
    {"auto.commit.enable", COMMITS},
    {"auto.commit.interval.ms", USE("commit_interval")},
    {"enable.auto.offset.store", COMMITS},
    {"offset.store.method", COMMITS},
    {"offset.store.path", COMMITS},
    {"offset.store.sync.interval.ms", COMMITS},
    {"auto.offset.reset", START},
    {"enable.partition.eof", "weir finds the end by position: remove it"},
    {"security.protocol", TLS},
    {"ssl.ca.location", USE("tls.ca")},
    {"ssl.ca.pem", USE("tls.ca")},
    {"ssl.certificate.location", USE("tls.cert")},
    {"ssl.certificate.pem", USE("tls.cert")},
    {"ssl.key.location", USE("tls.key")},
    {"ssl.key.pem", USE("tls.key")},
    {"ssl.key.password", USE("tls.key_password")},
    {"enable.ssl.certificate.verification", USE("tls.verify")},
    {"ssl.endpoint.identification.algorithm", USE("tls.verify")},
    {"sasl.mechanism", USE("sasl.mechanism")},
    {"sasl.mechanisms", USE("sasl.mechanism")},
    {"sasl.username", USE("sasl.username")},
    {"sasl.password", USE("sasl.password")},
    {"acks", READS},
    {"request.required.acks", READS},
    {"enable.idempotence", READS},
    {"enable.gapless.guarantee", READS},
    {"transactional.id", READS},
    {"log.queue", LOGS},
    {"enabled_events", LOGS},
};

#undef COMMITS
#undef READS
#undef TLS
#undef START
#undef LOGS
#undef USE

static const char *const secret_parts[] = {"password", "secret", "oauthbearer",
                                           "pem", "jaas"};

const char *kafka_property_refusal(const char *name)
{
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        if (strcmp(name, owned[i].name) == 0)
            return owned[i].refusal;
    return NULL;
}

bool kafka_property_is_secret(const char *name)
{
    for (size_t i = 0; i < sizeof secret_parts / sizeof secret_parts[0]; i++)
        if (strstr(name, secret_parts[i]))
            return true;
    return false;
}
