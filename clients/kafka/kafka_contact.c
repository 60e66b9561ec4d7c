/*
 * kafka_contact.c - the first answer of a broker.
 *
 * "Nothing happens" becomes an answer at once: a wrong port or a wrong password
 * is what open() fails with.
 *
 * Threads: the connector's; calls are cut into slices of SLICE_MS so that a
 * wake is heard.
 */
#include "kafka_contact.h"

#include "clock.h"

enum { SLICE_MS = 100 };

#define ANSWER_US (10 * CLOCK_SECOND_US)

static int64_t patience_us(const struct kafka_contact *contact)
{
    return contact->patience_us > 0 ? contact->patience_us : ANSWER_US;
}

static enum weir_status no_answer(const struct kafka_contact *contact,
                                  struct weir_error *err)
{
    const struct kafka_trouble *trouble = contact->trouble;

    if (trouble->text[0])
        return weir_fail(err, WEIR_RETRY, "%s", trouble->text);
    return weir_fail(err, WEIR_RETRY,
                     "no answer from '%s' for %g s: check `brokers`, "
                     "and that this port speaks Kafka",
                     trouble->access.brokers,
                     (double)patience_us(contact) / (double)CLOCK_SECOND_US);
}

static enum weir_status await(const struct kafka_contact *contact,
                              const struct rd_kafka_metadata **ret_metadata,
                              struct weir_error *err)
{
    const int64_t deadline_us = clock_after_us(patience_us(contact));
    const struct kafka_trouble *trouble = contact->trouble;

    while (clock_now_us() < deadline_us) {
        const rd_kafka_resp_err_t rc = rd_kafka_metadata(
            contact->rk, contact->wants_all, NULL, ret_metadata, SLICE_MS);

        (void)rd_kafka_poll(contact->rk, 0);
        if (rc == RD_KAFKA_RESP_ERR_NO_ERROR)
            return WEIR_OK;
        if (trouble->is_fatal)
            break;
        if (contact->waker &&
            waker_wait(contact->waker, -1, 0, clock_now_us()) == WAKER_WOKEN)
            return weir_fail(err, WEIR_RETRY,
                             "interrupted while connecting to '%s'",
                             trouble->access.brokers);
        if (trouble->is_cut_off)
            break;
    }
    return no_answer(contact, err);
}

enum weir_status kafka_contact_await(
    const struct kafka_contact *contact,
    const struct rd_kafka_metadata **ret_metadata, struct weir_error *err)
{
    struct kafka_trouble *trouble = contact->trouble;
    enum weir_status status;

    trouble->is_silent = true; /* open() fails with it */
    status = await(contact, ret_metadata, err);
    trouble->is_silent = false;
    trouble->is_cut_off = false;
    trouble->has_worked |= status == WEIR_OK;
    if (!trouble->is_fatal)
        trouble->text[0] = '\0';
    return status;
}

bool kafka_contact_check(rd_kafka_t *rk, struct kafka_trouble *trouble)
{
    const struct rd_kafka_metadata *metadata;

    if (rd_kafka_metadata(rk, 0, NULL, &metadata, SLICE_MS) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    rd_kafka_metadata_destroy(metadata);
    kafka_trouble_clear(trouble);
    return true;
}
