/*
 * ask.h - questions to a running weir.
 */
#ifndef WEIR_CLI_ASK_H
#define WEIR_CLI_ASK_H

#include <stddef.h>
#include <stdint.h>

#include <weir/status.h>

struct verb;
struct ask; /* opaque; keeps its connection between questions */

/* As a verb's options say it; zeroed, all is by default. */
struct ask_options {
    const char *address;    /* NULL: $WEIR_ADMIN, else 127.0.0.1:9464 */
    const char *ca;         /* NULL: $WEIR_ADMIN_CA, else the system's */
    const char *token_file; /* NULL: asks without a token */
    int64_t timeout_us;     /* of one question */
};

/* The rows of a verb's table, whose values have these options as `asking`. */
#define ASK_OPTION_ADDRESS(type)                                               \
    {                                                                          \
        "--address", "ADDRESS", ARGUMENT_TEXT, offsetof(type, asking.address), \
            "where it listens, https://... with TLS ($WEIR_ADMIN, else "       \
            "127.0.0.1:9464)"                                                  \
    }
#define ASK_OPTION_CA(type)                                                    \
    {                                                                          \
        "--ca", "FILE", ARGUMENT_TEXT, offsetof(type, asking.ca),              \
            "who signed its certificate, as PEM ($WEIR_ADMIN_CA, else the "    \
            "system's)"                                                        \
    }

struct ask_reply {
    int status;       /* of HTTP */
    const char *body; /* ends with a NUL; valid until the next question */
};

/* A new one, for ask_close().  WEIR_REJECT: what the options say can't be: it
 * is no address, the token can't be read. */
WEIR_MUST_USE
enum weir_status ask_open(const struct ask_options *options,
                          struct ask **ret_ask, struct weir_error *err);
void ask_close(struct ask *ask); /* NULL is fine */

/* Where it asks, for people. */
const char *ask_address(const struct ask *ask);

/* GETs `path` and reads all of the answer.  WEIR_RETRY: nobody answers, or not
 * in time, or not as a weir does; `err` says so. */
WEIR_MUST_USE
enum weir_status ask(struct ask *ask, const char *path,
                     struct ask_reply *ret_reply, struct weir_error *err);

/* For a verb that shows one page: VERB_EXIT_OK, else it ends so, and why was
 * said.  In either case `ret_ask` is to be closed. */
WEIR_MUST_USE
int ask_page(const struct verb *verb, const struct ask_options *options,
             const char *path, struct ask **ret_ask,
             struct ask_reply *ret_reply);

#endif
