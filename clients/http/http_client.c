/*
 * http_client.c - one HTTP request after the other, each within its time.
 *
 * libcurl's simple call can't be cut short by another thread, and waits for a
 * resolver that is under way when it gives up.  So the request runs in a
 * "multi" of one, which curl_multi_wakeup() interrupts:
 *
 *     perform -> all done?  -> the answer
 *        ^         woken?   -> WEIR_AGAIN
 *        |         too late -> WEIR_RETRY
 *        +------ poll, until something comes
 *
 * libcurl has the same deadline and says better what it was waiting for; ours
 * holds if it should miss its own.
 *
 * Invariants:
 *   (1) between two requests the easy handle is in no multi, and holds no
 *       pointer into a request that has ended;
 *   (2) a wake is never lost: the flag is set before curl_multi_wakeup(), which
 *       also ends a poll that begins later.
 *
 * Threads: the owner's; http_client_wake() any.  `is_woken` is sequentially
 * consistent.
 */
#include "http_client.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "clock.h"

enum { POLL_MAX_MS = 1000, FIRST_SIZE = 4096, WHERE_SIZE = 128 };

/* libcurl's deadline comes first. */
#define GRACE_US (CLOCK_SECOND_US / 2)

struct http_client {
    struct http_tls tls;
    CURLM *multi;
    CURL *easy;
    atomic_bool is_woken;
    char *body; /* room bytes; NULL: none yet */
    size_t size, room, max;
    bool is_too_large;
    char reason[CURL_ERROR_SIZE];
};

enum weir_status http_client_create(const struct http_tls *tls,
                                    struct http_client **ret_client,
                                    struct weir_error *err)
{
    struct http_client *client;

    /* Counted, and safe from any thread since 7.84. */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return weir_fail(err, WEIR_RETRY, "libcurl can't be used");
    client = calloc(1, sizeof(*client));
    if (client) {
        client->tls = *tls;
        client->multi = curl_multi_init();
        client->easy = curl_easy_init();
    } else {
        curl_global_cleanup();
    }
    if (!client || !client->multi || !client->easy) {
        http_client_destroy(client);
        return weir_fail(err, WEIR_RETRY, "out of memory");
    }
    *ret_client = client;
    return WEIR_OK;
}

void http_client_destroy(struct http_client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->easy);
    (void)curl_multi_cleanup(client->multi);
    curl_global_cleanup();
    free(client->body);
    free(client);
}

/* False: there is no memory for it. */
static bool make_room(struct http_client *client, size_t size)
{
    size_t room = client->room ? client->room : FIRST_SIZE;
    char *body;

    while (room < size)
        room *= 2;
    if (room == client->room)
        return true;
    body = realloc(client->body, room);
    if (!body)
        return false;
    client->body = body;
    client->room = room;
    return true;
}

/* For libcurl; less than it was given ends the request. */
static size_t keep(char *bytes, size_t one, size_t size, void *opaque)
{
    struct http_client *client = opaque;

    (void)one; /* always 1 */
    if (size > client->max - client->size) {
        client->is_too_large = true;
        return 0;
    }
    if (!make_room(client, client->size + size + 1))
        return 0;
    memcpy(client->body + client->size, bytes, size);
    client->size += size;
    client->body[client->size] = '\0';
    return size;
}

/* NULL is left out.  False: no memory for the copy that libcurl keeps. */
static bool set_text(CURL *easy, CURLoption option, const char *text)
{
    return !text || curl_easy_setopt(easy, option, text) == CURLE_OK;
}

/* False: no memory; what was left out, an authority, must not be passed over.
 */
static bool set_tls(CURL *easy, const struct http_tls *tls)
{
    (void)curl_easy_setopt(easy, CURLOPT_SSLVERSION,
                           (long)CURL_SSLVERSION_TLSv1_2);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, (long)tls->verify);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, tls->verify ? 2L : 0L);
    return set_text(easy, CURLOPT_CAINFO, tls->ca) &&
           set_text(easy, CURLOPT_SSLCERT, tls->cert) &&
           set_text(easy, CURLOPT_SSLKEY, tls->key) &&
           set_text(easy, CURLOPT_KEYPASSWD, tls->key_password);
}

/* False: no memory. */
static bool set_sending(CURL *easy, const struct http_request *request)
{
    if (request->user) {
        (void)curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        if (!set_text(easy, CURLOPT_USERNAME, request->user) ||
            !set_text(easy, CURLOPT_PASSWORD,
                      request->password ? request->password : ""))
            return false;
    }
    if (request->body) {
        (void)curl_easy_setopt(easy, CURLOPT_POST, 1L);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                               (curl_off_t)request->body_size);
    }
    return set_text(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

/* The strings that libcurl keeps are its own copies; the body is not. */
static enum weir_status prepare(struct http_client *client,
                                const struct http_request *request)
{
    CURL *easy = client->easy;
    const long timeout_ms =
        (long)((request->timeout_us + CLOCK_SECOND_US / 1000 - 1) /
               (CLOCK_SECOND_US / 1000));

    curl_easy_reset(easy);
    client->size = 0;
    client->max = request->reply_max;
    client->is_too_large = false;
    client->reason[0] = '\0';
    if (curl_easy_setopt(easy, CURLOPT_URL, request->url) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") !=
            CURLE_OK ||
        !make_room(client, 1))
        return WEIR_RETRY;
    client->body[0] = '\0';
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* resolver */
    (void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, client->reason);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, client);
    return set_tls(easy, &client->tls) && set_sending(easy, request)
               ? WEIR_OK
               : WEIR_RETRY;
}

/* "host:port" of a URL, for people. */
static void name_server(const char *url, char where[WHERE_SIZE])
{
    const char *from = strstr(url, "://");
    const char *start = from ? from + 3 : url;

    (void)snprintf(where, WHERE_SIZE, "%.*s", (int)strcspn(start, "/?#"),
                   start);
}

/* CURLE_OK, or why there is no answer; WEIR_AGAIN: woken. */
static enum weir_status run(struct http_client *client, int64_t deadline_us,
                            CURLcode *ret_code)
{
    int running = 1, left;
    const CURLMsg *message;

    while (running > 0) {
        if (curl_multi_perform(client->multi, &running) != CURLM_OK)
            break;
        if (atomic_exchange(&client->is_woken, false))
            return WEIR_AGAIN;
        if (running == 0)
            break;
        if (clock_now_us() >= deadline_us) {
            *ret_code = CURLE_OPERATION_TIMEDOUT;
            return WEIR_OK;
        }
        (void)curl_multi_poll(client->multi, NULL, 0,
                              clock_until_ms(deadline_us, POLL_MAX_MS), NULL);
    }
    message = curl_multi_info_read(client->multi, &left);
    *ret_code = message && message->msg == CURLMSG_DONE ? message->data.result
                                                        : CURLE_FAILED_INIT;
    return WEIR_OK;
}

static enum weir_status explain(const struct http_client *client,
                                const struct http_request *request,
                                CURLcode code, struct weir_error *err)
{
    const double seconds =
        (double)request->timeout_us / (double)CLOCK_SECOND_US;
    char where[WHERE_SIZE];

    name_server(request->url, where);
    if (client->is_too_large)
        return weir_fail(err, WEIR_RETRY,
                         "%s: the answer is larger than %zu bytes", where,
                         request->reply_max);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return weir_fail(err, WEIR_RETRY, "%s: no whole answer within %g s",
                         where, seconds);
    return weir_fail(err, WEIR_RETRY, "%s: %s", where,
                     client->reason[0] ? client->reason
                                       : curl_easy_strerror(code));
}

/* NULL where there are none, or no memory: `ret_status` tells. */
static struct curl_slist *list_headers(const char *const *headers,
                                       enum weir_status *ret_status)
{
    struct curl_slist *list = NULL;

    *ret_status = WEIR_OK;
    for (; headers && *headers; headers++) {
        struct curl_slist *longer = curl_slist_append(list, *headers);

        if (!longer) {
            curl_slist_free_all(list);
            *ret_status = WEIR_RETRY;
            return NULL;
        }
        list = longer;
    }
    return list;
}

static enum weir_status exchange(struct http_client *client,
                                 const struct http_request *request,
                                 struct weir_error *err)
{
    CURLcode code = CURLE_FAILED_INIT;
    enum weir_status status;

    if (curl_multi_add_handle(client->multi, client->easy) != CURLM_OK)
        return weir_fail(err, WEIR_RETRY, "out of memory");
    status = run(client, clock_after_us(request->timeout_us + GRACE_US), &code);
    (void)curl_multi_remove_handle(client->multi, client->easy);
    if (status != WEIR_OK)
        return weir_fail(err, status, "the request was cut short");
    if (code != CURLE_OK)
        return explain(client, request, code, err);
    return WEIR_OK;
}

enum weir_status http_client_send(struct http_client *client,
                                  const struct http_request *request,
                                  struct http_reply *ret_reply,
                                  struct weir_error *err)
{
    enum weir_status status;
    struct curl_slist *headers = list_headers(request->headers, &status);
    long code = 0;

    if (status == WEIR_OK)
        status = prepare(client, request);
    if (status != WEIR_OK) {
        (void)weir_fail(err, status, "out of memory");
    } else {
        (void)curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER, headers);
        status = exchange(client, request, err);
        (void)curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &code);
        curl_easy_reset(client->easy);
    }
    curl_slist_free_all(headers);
    if (status == WEIR_OK)
        *ret_reply = (struct http_reply){.status = (int)code,
                                         .body = client->body,
                                         .body_size = client->size};
    return status;
}

void http_client_wake(struct http_client *client)
{
    atomic_store(&client->is_woken, true);
    (void)curl_multi_wakeup(client->multi);
}
