/*
 * kafka_send.c - messages are handed to the client.
 *
 * The client copies what it is handed, so that it may be left behind at any
 * time, and the copies count against this sink's share of the memory: when
 * that is used up, the next message waits here.  One message is always let
 * through, however large.
 *
 * Threads: the writer's.
 */
#include "kafka_send.h"

#include "kafka_report.h"

/* What the client's copy costs beyond the bytes in it. */
enum { MESSAGE_OVERHEAD = 512, HEADER_OVERHEAD = 128 };

static void *as_pointer(const void *place)
{
    union {
        const void *from;
        void *to;
    } pointer = {place};

    return pointer
        .to; /* the client only reads, though its types don't say so */
}

static void measure(struct kafka_letter *letter, const struct weir_message *msg,
                    struct weir_bytes key)
{
    const size_t count = weir_message_header_count(msg);

    letter->size = key.size + weir_message_payload(msg).size;
    for (size_t i = 0; i < count; i++) {
        const struct weir_header header = weir_message_header(msg, i);

        letter->size += header.name.size + header.value.size;
    }
    letter->cost = letter->size + MESSAGE_OVERHEAD + count * HEADER_OVERHEAD;
}

/* NULL: it has none, or (WEIR_RETRY) no memory. */
static enum weir_status copy_headers(const struct weir_message *msg,
                                     rd_kafka_headers_t **ret_headers)
{
    const size_t count = weir_message_header_count(msg);
    rd_kafka_headers_t *headers;

    *ret_headers = NULL;
    if (count == 0)
        return WEIR_OK;
    headers = rd_kafka_headers_new(count);
    for (size_t i = 0; headers && i < count; i++) {
        const struct weir_header header = weir_message_header(msg, i);

        (void)rd_kafka_header_add(headers, header.name.data,
                                  (ssize_t)header.name.size, header.value.data,
                                  (ssize_t)header.value.size);
    }
    *ret_headers = headers;
    return headers ? WEIR_OK : WEIR_RETRY;
}

/* 0: the client's clock. */
static int64_t timestamp_of(const struct weir_message *msg)
{
    const int64_t timestamp_ms = weir_message_timestamp_ms(msg);

    return timestamp_ms > 0 ? timestamp_ms : 0;
}

static rd_kafka_resp_err_t produce(struct kafka_writer *writer,
                                   struct kafka_letter *letter,
                                   rd_kafka_topic_t *topic,
                                   const struct weir_message *msg,
                                   struct weir_bytes key)
{
    const struct weir_bytes payload = weir_message_payload(msg);
    rd_kafka_headers_t *headers = NULL;
    rd_kafka_resp_err_t code;
    rd_kafka_error_t *error;

    if (copy_headers(msg, &headers) != WEIR_OK)
        return RD_KAFKA_RESP_ERR__QUEUE_FULL;

    const rd_kafka_vu_t values[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = topic},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY,
         .u.mem = {as_pointer(key.data), key.size}},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {as_pointer(payload.data), payload.size}},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = timestamp_of(msg)},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = letter}};
    error =
        rd_kafka_produceva(writer->rk, values, sizeof values / sizeof *values);
    code = rd_kafka_error_code(error); /* NULL: there is none */
    if (!error)
        return code; /* the headers are the client's now */
    rd_kafka_error_destroy(error);
    if (headers)
        rd_kafka_headers_destroy(headers);
    return code;
}

/* WEIR_AGAIN: there is no room. */
static enum weir_status send_to(struct kafka_writer *writer,
                                struct kafka_letter *letter,
                                rd_kafka_topic_t *topic,
                                const struct weir_message *msg,
                                struct weir_error *err)
{
    struct weir_bytes key;
    rd_kafka_resp_err_t code;

    if (kafka_target_key(&writer->target, msg, &key) != WEIR_OK)
        return weir_fail(err, WEIR_RETRY, "out of memory");
    measure(letter, msg, key);
    if (writer->away > 0 &&
        writer->away_cost + letter->cost > writer->share->memory)
        return WEIR_AGAIN;
    code = produce(writer, letter, topic, msg, key);
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL && writer->away > 0)
        return WEIR_AGAIN;
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        code = RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE; /* there never is room */
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        kafka_report_judge(writer, letter, topic, code);
        return WEIR_OK;
    }
    kafka_parcels_sent(&writer->parcels, letter);
    writer->away++;
    writer->away_cost += letter->cost;
    return WEIR_OK;
}

static enum weir_status send_one(struct kafka_writer *writer,
                                 struct kafka_letter *letter,
                                 struct weir_error *err)
{
    const struct weir_message *msg =
        weir_batch_message(letter->parcel->batch, letter->index);
    rd_kafka_topic_t *topic;
    struct weir_error why = {0};
    enum weir_status status =
        kafka_target_topic(&writer->target, msg, &topic, &why);

    if (status == WEIR_REJECT) {
        kafka_parcels_reject(&writer->parcels, letter, why.text);
        return WEIR_OK;
    }
    if (status != WEIR_OK)
        return weir_fail(err, status, "%s", why.text);
    return send_to(writer, letter, topic, msg, err);
}

enum weir_status kafka_send(struct kafka_writer *writer, struct weir_error *err)
{
    struct kafka_letter *letter = kafka_parcels_next(&writer->parcels);
    enum weir_status status = WEIR_OK;

    while (letter && !writer->tear.is_torn && status == WEIR_OK) {
        if (writer->away >= writer->window)
            return WEIR_OK;
        status = send_one(writer, letter, err);
        letter = kafka_parcels_next(&writer->parcels);
    }
    return status == WEIR_AGAIN ? WEIR_OK : status;
}
