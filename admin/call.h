/*
 * call.h - one request and its answer, without a connection.
 */
#ifndef WEIR_ADMIN_CALL_H
#define WEIR_ADMIN_CALL_H

#include <stddef.h>

enum { CALL_BODY_MAX = 4096, CALL_ARGUMENTS = 8 };

/* Of the query: ?name=value. */
struct call_argument {
    const char *name, *value; /* NULL: without `=` */
};

/* Borrowed; what the client did not send is NULL. */
struct request {
    const char *method; /* "GET" */
    const char *path;   /* without a query */
    const char *host;
    const char *authorization;
    const char *accept;
    const char *body; /* NUL at its end */
    size_t body_size;
    struct call_argument arguments[CALL_ARGUMENTS];
    size_t argument_count; /* more are left out, and counted */
};

struct answer {
    unsigned status;     /* 0: there was no memory for one */
    const char *type;    /* static: "application/json" */
    const char *allowed; /* static, with 405: "GET, HEAD" */
    const char *policy;  /* static: what it may load; NULL: nothing */
    char *body;          /* of malloc(), for the receiver to free; or NULL */
    size_t size;
};

#endif
