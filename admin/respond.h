/*
 * respond.h - what is answered to a request.
 */
#ifndef WEIR_ADMIN_RESPOND_H
#define WEIR_ADMIN_RESPOND_H

#include <stdbool.h>

#include "admin.h"
#include "call.h"

/* What there is to tell of, and to change. */
struct site {
    const struct admin_config *config;
    bool is_loopback; /* it listens there only */
};

/* One thread at a time; touches no connection. */
void respond(const struct site *site, const struct request *request,
             struct answer *ret_answer);

#endif
