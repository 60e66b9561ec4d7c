/*
 * ask.h - one question to a running weir.
 */
#ifndef WEIR_CLI_ASK_H
#define WEIR_CLI_ASK_H

#include <stddef.h>
#include <stdint.h>

#include <weir/status.h>

#include "endpoint.h"

struct verb;

/* Of the option by which a verb is told. */
#define ASK_ADDRESS_HELP "where it listens ($WEIR_ADMIN, else 127.0.0.1:9464)"

struct ask_reply {
    int status;       /* of HTTP */
    const char *body; /* inside `text`; ends with a NUL */
    char *text;       /* of malloc(), for the caller to free */
};

/*
 * GETs `path` and reads all of the answer, within `timeout_us`.  WEIR_RETRY:
 * nobody answers there, or not in time, or not as a weir does; `err` says so in
 * a sentence that begins with `address`.
 */
WEIR_MUST_USE
enum weir_status ask(const struct endpoint *endpoint, const char *address,
                     const char *path, int64_t timeout_us,
                     struct ask_reply *ret_reply, struct weir_error *err);

/* `given`, else what the environment says, else the default; with it, parsed.
 * WEIR_REJECT: it is no address. */
WEIR_MUST_USE
enum weir_status ask_where(const char *given, const char **ret_address,
                           struct endpoint *ret_endpoint,
                           struct weir_error *err);

/* Both, for a verb that shows one page: VERB_EXIT_OK, else it ends so, and why
 * was said. */
WEIR_MUST_USE
int ask_page(const struct verb *verb, const char *given, const char *path,
             int64_t timeout_us, const char **ret_address,
             struct ask_reply *ret_reply);

#endif
