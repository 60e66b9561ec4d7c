/*
 * ask.c - questions to a running weir.
 *
 * An address is what `admin.listen` takes, or a URL, for TLS.  Everything has
 * one deadline, so that a weir that listens and does not answer is told from
 * one that does.
 *
 * Threads: none.
 */
#include "ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "endpoint.h"
#include "health_variable.h"
#include "http_client.h"
#include "http_url.h"
#include "verb.h"

enum { REPLY_MAX = 64 * 1024 * 1024, TOKEN_MAX = 1024 };

struct ask {
    struct http_client *client;
    struct http_url url;
    struct http_tls tls;
    const char *address; /* without userinfo */
    int64_t timeout_us;
    char authorization[TOKEN_MAX + 32]; /* the header; "": none */
};

static const char *first_of(const char *given, const char *variable,
                            const char *fallback)
{
    const char *text = given ? given : getenv(variable);

    return text && text[0] ? text : fallback;
}

static enum weir_status read_address(struct ask *ask, const char *given,
                                     struct weir_error *err)
{
    char text[ENDPOINT_TEXT_SIZE], url[ENDPOINT_TEXT_SIZE + 16];
    const char *address = first_of(given, HEALTH_VARIABLE, HEALTH_DEFAULT);
    struct endpoint endpoint;
    struct weir_error why;

    if (strstr(address, "://")) {
        if (http_url_parse(address, &ask->url, &why) != WEIR_OK)
            return weir_fail(err, WEIR_REJECT,
                             "--address, or $" HEALTH_VARIABLE ": %s",
                             why.text);
    } else {
        if (endpoint_parse(address, &endpoint, err) != WEIR_OK)
            return WEIR_REJECT;
        endpoint_format(&endpoint, text);
        (void)snprintf(url, sizeof url, "http://%s", text);
        if (http_url_parse(url, &ask->url, err) != WEIR_OK)
            return WEIR_RETRY;
    }
    ask->address = ask->url.text;
    return WEIR_OK;
}

/* The first line of the file. */
static enum weir_status read_token(struct ask *ask, const char *path,
                                   struct weir_error *err)
{
    FILE *file = path ? fopen(path, "re") : NULL;
    char token[TOKEN_MAX] = "";

    if (!path)
        return WEIR_OK;
    if (file) {
        if (fgets(token, sizeof token, file))
            token[strcspn(token, "\r\n")] = '\0';
        (void)fclose(file);
    }
    if (token[0] == '\0')
        return weir_fail(err, WEIR_REJECT, "no token can be read from %s",
                         path);
    (void)snprintf(ask->authorization, sizeof ask->authorization,
                   "Authorization: Bearer %s", token);
    explicit_bzero(token, sizeof token);
    return WEIR_OK;
}

enum weir_status ask_open(const struct ask_options *options,
                          struct ask **ret_ask, struct weir_error *err)
{
    struct ask *ask = calloc(1, sizeof *ask);
    enum weir_status status;

    if (!ask)
        return weir_fail(err, WEIR_RETRY, "no memory");
    ask->timeout_us = options->timeout_us;
    ask->tls = (struct http_tls){
        .ca = first_of(options->ca, HEALTH_CA_VARIABLE, NULL), .verify = true};
    status = read_address(ask, options->address, err);
    if (status == WEIR_OK)
        status = read_token(ask, options->token_file, err);
    if (status == WEIR_OK)
        status = http_client_create(&ask->tls, &ask->client, err);
    if (status != WEIR_OK) {
        ask_close(ask);
        return status;
    }
    *ret_ask = ask;
    return WEIR_OK;
}

void ask_close(struct ask *ask)
{
    if (!ask)
        return;
    http_client_destroy(ask->client);
    http_url_finish(&ask->url);
    explicit_bzero(ask->authorization, sizeof ask->authorization);
    free(ask);
}

const char *ask_address(const struct ask *ask)
{
    return ask->address;
}

/* `why` is the client's, which knows of no weir. */
static enum weir_status explain_silence(const struct ask *ask,
                                        const struct weir_error *why,
                                        struct weir_error *err)
{
    const bool has_tls = strncmp(ask->url.text, "https:", 6) == 0;

    if (strstr(why->text, "certificate file"))
        return weir_fail(err, WEIR_RETRY,
                         "no certificates can be read from %s: see --ca, "
                         "$" HEALTH_CA_VARIABLE,
                         ask->tls.ca);
    if (strstr(why->text, "HTTP/0.9"))
        return weir_fail(err, WEIR_RETRY,
                         "what listens on %s answers something else than a "
                         "weir does",
                         ask->address);
    return weir_fail(err, WEIR_RETRY, "nothing answers on %s%s", why->text,
                     !has_tls && strstr(why->text, "Empty reply")
                         ? " (where it speaks TLS, write https:// before the "
                           "address)"
                         : "");
}

enum weir_status ask(struct ask *ask, const char *path,
                     struct ask_reply *ret_reply, struct weir_error *err)
{
    const char *const headers[] = {
        ask->authorization[0] ? ask->authorization : NULL, NULL};
    struct weir_error why = {0};
    struct http_reply reply;
    enum weir_status status = WEIR_RETRY;
    char *url = NULL;

    if (asprintf(&url, "%s%s", ask->url.text, path) < 0)
        return weir_fail(err, WEIR_RETRY, "no memory");
    status = http_client_send(ask->client,
                              &(struct http_request){
                                  .url = url,
                                  .headers = headers,
                                  .reply_max = REPLY_MAX,
                                  .timeout_us = ask->timeout_us,
                              },
                              &reply, &why);
    free(url);
    if (status != WEIR_OK)
        return explain_silence(ask, &why, err);
    *ret_reply = (struct ask_reply){.status = reply.status, .body = reply.body};
    return WEIR_OK;
}

int ask_page(const struct verb *verb, const struct ask_options *options,
             const char *path, struct ask **ret_ask,
             struct ask_reply *ret_reply)
{
    struct weir_error err;

    *ret_ask = NULL;
    if (ask_open(options, ret_ask, &err) != WEIR_OK || !*ret_ask)
        return usage_error(verb, "%s", err.text);
    if (ask(*ret_ask, path, ret_reply, &err) == WEIR_OK)
        return VERB_EXIT_OK;
    (void)fprintf(stderr, "weir %s: %s\n", verb->name, err.text);
    return VERB_EXIT_UNAVAILABLE;
}
