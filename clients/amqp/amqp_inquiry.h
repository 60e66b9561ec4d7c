/*
 * amqp_inquiry.h - what is asked of a broker before anything runs.
 */
#ifndef WEIR_CLIENTS_AMQP_INQUIRY_H
#define WEIR_CLIENTS_AMQP_INQUIRY_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/finding.h>
#include <weir/settings.h>

#include "guard.h"
#include "link.h"
#include "url.h"

/* What is open over AMQP alone: the end of a sentence. */
#define AMQP_INQUIRY_OPEN "cannot be known over AMQP"

/* The first three are the caller's to fill in; the rest zeroed. */
struct amqp_inquiry {
    const struct weir_settings *settings;
    struct weir_findings *findings;
    int64_t deadline_us;

    struct amqp_guard guard;
    struct amqp_link link; /* closed again after each refusal */
    struct amqp_url url;   /* the first that answered */
    char product[40], version[40];
};

/* What the broker says to a request. */
struct amqp_answer {
    int code;       /* 0: done; 404, 406, ...; -1: it says nothing */
    char text[256]; /* its own words; or why there are none */
};

/*
 * Connects to one URL after the other; each that doesn't answer is found.
 * WEIR_RETRY: none does.  amqp_inquiry_close() in either case.
 */
WEIR_MUST_USE
enum weir_status amqp_inquiry_open(struct amqp_inquiry *inquiry);
void amqp_inquiry_close(struct amqp_inquiry *inquiry);

/* RabbitMQ: what is documented of its checks may be relied on. */
bool amqp_inquiry_is_rabbitmq(const struct amqp_inquiry *inquiry);
int amqp_inquiry_major(const struct amqp_inquiry *inquiry);

/* Of the last synchronous call; afterwards the channel is there again. */
struct amqp_answer amqp_inquiry_answer(struct amqp_inquiry *inquiry);

/* Whether an exchange is there; "" always is. */
struct amqp_answer amqp_inquiry_exchange(struct amqp_inquiry *inquiry,
                                         const char *exchange);

/* Whether a queue is there, and how many messages and consumers it has. */
struct amqp_answer amqp_inquiry_queue(struct amqp_inquiry *inquiry,
                                      const char *queue, uint32_t *ret_messages,
                                      uint32_t *ret_consumers);

/* Says an answer that is no answer to the question, as an error; `permission`
 * is what it would have taken: "read". */
void amqp_inquiry_refused(struct amqp_inquiry *inquiry, const char *where,
                          const char *permission,
                          const struct amqp_answer *answer);

#endif
