/*
 * http_client.h - one HTTP request after the other, each within its time.
 */
#ifndef WEIR_CLIENTS_HTTP_CLIENT_H
#define WEIR_CLIENTS_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/status.h>

struct http_client; /* opaque; keeps its connection between requests */

/* Borrowed for as long as the client lives; zeroed is fine but for `verify`. */
struct http_tls {
    const char *ca;         /* a file; NULL: the system's */
    const char *cert, *key; /* NULL: none */
    const char *key_password;
    bool verify; /* the server must prove to be who the URL says */
};

struct http_request {
    const char *url;             /* http:// or https://, without userinfo */
    const char *user, *password; /* basic authentication; NULL: none */
    const char *method;          /* NULL: GET; with a body: POST */
    const char *const *headers;  /* "Name: value"; NULL ends; may be NULL */
    const void *body;            /* NULL: none */
    size_t body_size;
    size_t reply_max;   /* bytes of the body; a larger answer is none */
    int64_t timeout_us; /* for all of it, the name's resolution too */
};

/* The body, with a NUL behind it, is the client's until the next call. */
struct http_reply {
    int status; /* 200, 404, ... */
    const char *body;
    size_t body_size;
};

/* A new client. */
WEIR_MUST_USE
enum weir_status http_client_create(const struct http_tls *tls,
                                    struct http_client **ret_client,
                                    struct weir_error *err);
void http_client_destroy(struct http_client *client); /* NULL is fine */

/*
 * WEIR_OK: an answer, whatever its status.  WEIR_RETRY: none, or not in time;
 * `err` is "host:port: why", without userinfo, path and body.  WEIR_AGAIN:
 * http_client_wake() ended it.  Neither the environment's proxies nor redirects
 * are followed.
 */
WEIR_MUST_USE
enum weir_status http_client_send(struct http_client *client,
                                  const struct http_request *request,
                                  struct http_reply *ret_reply,
                                  struct weir_error *err);

/* Ends the request under way, or else the next one, at once.  Any thread;
 * doesn't block. */
void http_client_wake(struct http_client *client);

#endif
