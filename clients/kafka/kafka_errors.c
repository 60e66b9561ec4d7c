/*
 * kafka_errors.c - Kafka's error codes, in weir's words.
 *
 * "Local: Broker transport failure" is librdkafka's whole explanation of a
 * wrong port, a wrong CA and a wrong protocol.  What tells them apart is a part
 * of the text that comes with it, so a table maps codes and such parts to a
 * sentence that says what to check.  The first entry that fits is used; where
 * none does, librdkafka's own words are.
 *
 * Threads: pure functions.
 */
#include "kafka_errors.h"

#include <stdio.h>
#include <string.h>

#define ANY RD_KAFKA_RESP_ERR_NO_ERROR

enum {
    NEEDS_NOTHING = 0,
    NEEDS_TLS,
    NEEDS_PLAIN,
    NEEDS_SASL,
    NEEDS_READER,
    NEEDS_WRITER
};

/* "%s" in `advice` is the group's name, the user's or the CA's. */
static const struct {
    rd_kafka_resp_err_t code; /* ANY: by text only */
    const char *part;         /* of the reason; NULL: any */
    int needs;
    const char *advice;
} explanations[] = {
    {RD_KAFKA_RESP_ERR__RESOLVE, NULL, NEEDS_NOTHING,
     "the host name does not resolve: check `brokers` and the name service"},
    {ANY, "Failed to resolve", NEEDS_NOTHING,
     "the host name does not resolve: check `brokers` and the name service"},
    {ANY, "Connection refused", NEEDS_NOTHING,
     "nothing listens there: check host and port in `brokers`, and that the "
     "broker runs"},
    {ANY, "certificate has expired", NEEDS_NOTHING,
     "the broker's certificate has expired: renew it there"},
    {ANY, "ostname mismatch", NEEDS_NOTHING,
     "the broker's certificate is for another host: use a name that it "
     "contains in `brokers`"},
    {ANY, "IP address mismatch", NEEDS_NOTHING,
     "the broker's certificate is for another host: use a name that it "
     "contains in `brokers`"},
    {ANY, "certificate verify failed", NEEDS_NOTHING,
     "the broker's certificate is not trusted: check `tls.ca`, and that the "
     "certificate is valid and issued for this host"},
    {ANY, "wrong version number", NEEDS_TLS,
     "TLS was tried and the broker does not answer in TLS: check the port in "
     "`brokers`, or remove `tls`"},
    {ANY, "unexpected eof", NEEDS_TLS,
     "TLS was tried and the broker closed the connection: check `tls`, and "
     "that the port in `brokers` speaks TLS"},
    {ANY, "SSL handshake failed", NEEDS_TLS,
     "the TLS handshake failed: check `tls`, and that the port in `brokers` "
     "speaks TLS"},
    {ANY, "Unsupported SASL mechanism", NEEDS_NOTHING,
     "the broker does not offer this mechanism: check `sasl.mechanism`"},
    {ANY, "SaslHandshake", NEEDS_NOTHING,
     "the broker does not offer this mechanism: check `sasl.mechanism`"},
    {RD_KAFKA_RESP_ERR__AUTHENTICATION, NULL, NEEDS_SASL,
     "the broker refuses the login: check `sasl.username`, `sasl.password` "
     "and `sasl.mechanism`"},
    {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, NULL, NEEDS_READER,
     "the topic is not there, waiting for it: check `topics`"},
    {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, NULL, NEEDS_READER,
     "the topic is not there, waiting for it: check `topics`"},
    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, NULL, NEEDS_READER,
     "not allowed to read the topic: grant Read and Describe on it"},
    {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, NULL, NEEDS_WRITER,
     "not allowed to write: grant IdempotentWrite on the cluster, or Write on "
     "the topic"},
    {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, NULL, NEEDS_NOTHING,
     "not allowed to use the group: grant Read on it, or check `group`"},
    {ANY, "Group authorization failed", NEEDS_NOTHING,
     "not allowed to use the group: grant Read on it, or check `group`"},
    {ANY, "might require SASL", NEEDS_NOTHING,
     "the broker closed the connection: it may want a login, add `sasl`"},
    {ANY, "incorrect security.protocol", NEEDS_TLS,
     "the connection was closed at once: TLS was tried; check the port in "
     "`brokers`, and that Kafka speaks TLS there"},
    {ANY, "incorrect security.protocol", NEEDS_PLAIN,
     "the connection was closed at once: check that this port speaks Kafka, "
     "and add `tls` or `sasl` when it asks for them"},
    {ANY, "Receive failed", NEEDS_NOTHING,
     "the connection was closed: check that this port speaks Kafka"},
    {ANY, "Invalid response size", NEEDS_NOTHING,
     "the answer is not Kafka's: check the port in `brokers`"},
    {ANY, "timed out", NEEDS_NOTHING,
     "no answer: check the network, and that this port speaks Kafka"},
    {ANY, "Timed out", NEEDS_NOTHING,
     "no answer: check the network, and that this port speaks Kafka"},
};

#undef ANY

static bool is_met(int needs, const struct kafka_access *access)
{
    switch (needs) {
    case NEEDS_TLS:
        return access->has_tls;
    case NEEDS_PLAIN:
        return !access->has_tls;
    case NEEDS_SASL:
        return access->mechanism != NULL;
    case NEEDS_READER:
        return access->role == KAFKA_READS;
    case NEEDS_WRITER:
        return access->role == KAFKA_WRITES;
    default:
        return true;
    }
}

static const char *advice_for(rd_kafka_resp_err_t code, const char *reason,
                              const struct kafka_access *access)
{
    const size_t count = sizeof explanations / sizeof explanations[0];

    for (size_t i = 0; i < count; i++) {
        const rd_kafka_resp_err_t wanted = explanations[i].code;
        const char *part = explanations[i].part;

        if (wanted != RD_KAFKA_RESP_ERR_NO_ERROR && wanted != code)
            continue;
        if (part && !strstr(reason, part))
            continue;
        if (is_met(explanations[i].needs, access))
            return explanations[i].advice;
    }
    return NULL;
}

enum weir_status kafka_errors_status(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return WEIR_OK;
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE:
        return WEIR_FATAL;
    default:
        /* The client reconnects, and people repair what is refused. */
        return WEIR_RETRY;
    }
}

enum kafka_verdict kafka_errors_verdict(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return KAFKA_DELIVERED;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
        return KAFKA_REFUSED;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
        return KAFKA_TOO_LARGE;
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT:
        return KAFKA_BATCH_REFUSED;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        return KAFKA_NO_TOPIC;
    default:
        return KAFKA_UNDECIDED;
    }
}

void kafka_errors_explain(rd_kafka_resp_err_t code, const char *reason,
                          const struct kafka_access *access, char *out,
                          size_t size)
{
    const char *advice = advice_for(code, reason, access);
    const char *tail = strstr(reason, " (after "); /* what the client did */
    const int length = (int)(tail ? tail - reason : (ptrdiff_t)strlen(reason));
    char with[120] = "", group[120] = "";

    if (access->mechanism)
        (void)snprintf(with, sizeof with, ", SASL %s as '%s'",
                       access->mechanism,
                       access->username ? access->username : "");
    if (access->group)
        (void)snprintf(group, sizeof group, "; group '%s'", access->group);
    (void)snprintf(out, size, "%s (brokers '%s', %s%s%s): %.*s",
                   advice ? advice : rd_kafka_err2str(code), access->brokers,
                   access->has_tls ? "TLS" : "no TLS", with, group, length,
                   reason);
}
