/*
 * http_url.c - where an HTTP server is: http://user:password@host:port/path.
 *
 * Threads: no state.
 */
#include "http_url.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

/* NULL: it has no such part, or there is no memory. */
static char *part(CURLU *parsed, CURLUPart which, unsigned flags)
{
    char *text = NULL, *copy;

    if (curl_url_get(parsed, which, &text, flags) != CURLUE_OK)
        return NULL;
    copy = strdup(text);
    curl_free(text);
    return copy;
}

static enum weir_status scheme_is_ours(CURLU *parsed, struct weir_error *err)
{
    char *scheme = part(parsed, CURLUPART_SCHEME, 0);
    const bool is_ours =
        scheme && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);

    free(scheme);
    if (!is_ours)
        return weir_fail(err, WEIR_REJECT,
                         "it has to begin with http:// or https://");
    return WEIR_OK;
}

static void strip_slashes(char *text)
{
    size_t size = strlen(text);

    while (size > 0 && text[size - 1] == '/')
        text[--size] = '\0';
}

static enum weir_status take_apart(CURLU *parsed, struct http_url *url,
                                   struct weir_error *err)
{
    static const CURLUPart hidden[] = {CURLUPART_USER, CURLUPART_PASSWORD,
                                       CURLUPART_OPTIONS, CURLUPART_QUERY,
                                       CURLUPART_FRAGMENT};
    const enum weir_status status = scheme_is_ours(parsed, err);

    if (status != WEIR_OK)
        return status;
    url->user = part(parsed, CURLUPART_USER, CURLU_URLDECODE);
    url->password = part(parsed, CURLUPART_PASSWORD, CURLU_URLDECODE);
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
        (void)curl_url_set(parsed, hidden[i], NULL, 0);
    url->text = part(parsed, CURLUPART_URL, 0);
    if (!url->text)
        return weir_fail(err, WEIR_REJECT, "out of memory");
    strip_slashes(url->text);
    return WEIR_OK;
}

enum weir_status http_url_parse(const char *text, struct http_url *ret_url,
                                struct weir_error *err)
{
    struct http_url url = {.text = NULL};
    CURLU *parsed = curl_url();
    enum weir_status status;

    if (!parsed)
        return weir_fail(err, WEIR_REJECT, "out of memory");
    if (curl_url_set(parsed, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) !=
        CURLUE_OK)
        status =
            weir_fail(err, WEIR_REJECT,
                      "it is no URL: write http://user:password@host:port");
    else
        status = take_apart(parsed, &url, err);
    curl_url_cleanup(parsed);
    if (status == WEIR_OK)
        *ret_url = url;
    else
        http_url_finish(&url);
    return status;
}

/* Nothing of a password stays in memory that is given back. */
static void forget(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

void http_url_finish(struct http_url *url)
{
    free(url->text);
    free(url->user);
    forget(url->password);
    *url = (struct http_url){.text = NULL};
}
