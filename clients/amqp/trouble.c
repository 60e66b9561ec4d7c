/*
 * trouble.c - what the library or the broker says, as a sentence for people.
 *
 * Every one is WEIR_RETRY: whatever an operator has to change, at the broker or
 * in the network, may be changed while we wait.  The sentence says where, what
 * was tried and what to check.  It never holds a password: the broker does not
 * repeat one, and `where` is made without.
 *
 * Threads: no state.
 */
#include "trouble.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* What an operator can do about a close, by its code and a word of it. */
static const struct {
    int code;
    const char *word; /* NULL: any */
    const char *advice;
} advices[] = {
    {403, "Login was refused", "check user and password in the url"},
    {403, "exclusive",
     "another consumer has the queue for itself: wait, or "
     "stop that one"},
    {403, NULL,
     "the user lacks the permission: ask for configure, write or "
     "read on it"},
    {404, "no queue", "the queue isn't there yet: waiting for it"},
    {404, "no exchange", "the exchange isn't there yet: waiting for it"},
    {405, NULL, "it belongs to another connection"},
    {406, "timed out",
     "a message stayed unacknowledged for longer than the "
     "broker's consumer_timeout"},
    {406, "inequivalent",
     "it exists and was declared otherwise: make "
     "`declare` equal, or leave it out"},
    {530, "not found", "the url names a vhost that isn't there"},
    {530, "refused", "the user has no permission in this vhost"},
    {320, NULL, "the broker closed it on purpose"},
};

static const char *advice_of(const struct amqp_closing *closing)
{
    for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++) {
        if (advices[i].code == closing->code &&
            (!advices[i].word || strstr(closing->text, advices[i].word)))
            return advices[i].advice;
    }
    return NULL;
}

static struct amqp_closing make_closing(int code, amqp_bytes_t text,
                                        bool is_channel)
{
    struct amqp_closing closing = {.code = code, .is_channel = is_channel};
    size_t size = text.len;

    if (size >= sizeof(closing.text))
        size = sizeof(closing.text) - 1;
    if (size > 0)
        memcpy(closing.text, text.bytes, size);
    for (size_t i = 0; i < size; i++) {
        if (iscntrl((unsigned char)closing.text[i]))
            closing.text[i] = '?';
    }
    return closing;
}

struct amqp_closing amqp_closing_of(const amqp_method_t *method)
{
    if (method->id == AMQP_CHANNEL_CLOSE_METHOD) {
        const amqp_channel_close_t *close = method->decoded;

        return make_closing(close->reply_code, close->reply_text, true);
    }
    if (method->id == AMQP_CONNECTION_CLOSE_METHOD) {
        const amqp_connection_close_t *close = method->decoded;

        return make_closing(close->reply_code, close->reply_text, false);
    }
    return (struct amqp_closing){.code = 0};
}

enum weir_status amqp_trouble_closing(const struct amqp_closing *closing,
                                      const char *where, const char *doing,
                                      struct weir_error *err)
{
    const char *advice = advice_of(closing);

    return weir_fail(err, WEIR_RETRY, "%s: %s: %s%s(%d %s)", where, doing,
                     advice ? advice : "the broker refused",
                     closing->code ? " " : "", closing->code, closing->text);
}

enum weir_status amqp_trouble_status(int library_status, const char *where,
                                     const char *doing, struct weir_error *err)
{
    const char *text = amqp_error_string2(library_status);

    switch (library_status) {
    case AMQP_STATUS_TIMEOUT:
        text = "no answer in time: the broker is connected but silent";
        break;
    case AMQP_STATUS_HEARTBEAT_TIMEOUT:
        text = "no heartbeat from the broker for two intervals";
        break;
    case AMQP_STATUS_CONNECTION_CLOSED:
    case AMQP_STATUS_SOCKET_CLOSED:
        text = "the connection was closed without a word";
        break;
    case AMQP_STATUS_SOCKET_ERROR:
    case AMQP_STATUS_SSL_ERROR:
        text = "the connection broke";
        break;
    case AMQP_STATUS_BAD_AMQP_DATA:
    case AMQP_STATUS_UNKNOWN_METHOD:
    case AMQP_STATUS_UNKNOWN_CLASS:
        text = "what arrived is not AMQP 0-9-1";
        break;
    default:
        break;
    }
    return weir_fail(err, WEIR_RETRY, "%s: %s: %s", where, doing, text);
}

enum weir_status amqp_trouble_reply(const amqp_rpc_reply_t *reply,
                                    const char *where, const char *doing,
                                    struct weir_error *err)
{
    struct amqp_closing closing;

    if (reply->reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION)
        return amqp_trouble_status(reply->library_error, where, doing, err);
    if (reply->reply_type != AMQP_RESPONSE_SERVER_EXCEPTION)
        return weir_fail(err, WEIR_RETRY, "%s: %s: no reply", where, doing);
    closing = amqp_closing_of(&reply->reply);
    return amqp_trouble_closing(&closing, where, doing, err);
}
