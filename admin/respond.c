/*
 * respond.c - what is answered to a request.
 *
 *     host? --> page of this path? --> method? --> token? --> page
 *
 * Who may ask.  Reading needs no token, as with every exporter: what is shown
 * has no payload and no secret.  What changes something is a POST with the
 * token of the topology, and payloads are shown with it only; without one
 * there, nothing can be changed, and no payload seen.  Since a
 * browser sends no such header by itself, no foreign page can make one do it.
 *
 * A page from elsewhere could still read ours, by a name of its own that it
 * lets point to 127.0.0.1.  So where we listen on loopback only, the Host must
 * be an address, or localhost.
 *
 * Threads: the admin's; keeps nothing.
 */
#include "respond.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api.h"

struct page {
    const char *path;  /* NULL ends the table */
    page_fn get, post; /* either may be NULL */
};

static const struct page pages[] = {
    {"/", page_dashboard, NULL},
    {"/dashboard.css", page_dashboard, NULL},
    {"/dashboard.js", page_dashboard, NULL},
    {"/livez", page_livez, NULL},
    {"/readyz", page_readyz, NULL},
    {"/metrics", page_metrics, NULL},
    {"/api/v1/version", page_version, NULL},
    {"/api/v1/health", page_health, NULL},
    {"/api/v1/topology", page_topology, NULL},
    {"/api/v1/configuration", page_configuration, NULL},
    {"/api/v1/ledger", page_ledger, NULL},
    {"/api/v1/sources", page_sources, NULL},
    {"/api/v1/stages", page_stages, NULL},
    {"/api/v1/mailboxes", page_mailboxes, NULL},
    {"/api/v1/failures", page_failures, NULL},
    {"/api/v1/explain", page_explain, NULL},
    {"/api/v1/tap", page_tap, NULL},
    {"/api/v1/rate_limit", page_rate_limit, change_rate_limit},
    {"/api/v1/log_level", page_log_level, change_log_level},
    {"/api/v1/reload", page_reload, change_reload},
    {"/api/v1/pause", NULL, change_pause},
    {"/api/v1/resume", NULL, change_resume},
    {"/api/v1/drain", NULL, change_drain},
    {NULL, NULL, NULL},
};

/* ---- answers ---- */

void answer_text(struct answer *answer, unsigned status, const char *type,
                 const char *text)
{
    answer->body = strdup(text);
    answer->status = answer->body ? status : 0;
    answer->size = strlen(text);
    answer->type = type;
}

void answer_json(struct answer *answer, unsigned status, json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

    json_decref(json);
    if (!text)
        return;
    answer->status = status;
    answer->type = "application/json";
    answer->body = text;
    answer->size = strlen(text);
}

void answer_error(struct answer *answer, unsigned status, const char *fmt, ...)
{
    char text[400];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    answer_json(answer, status, json_pack("{s:s}", "error", text));
}

/* ---- who may ask ---- */

/* An address in digits, or localhost, with any port. */
static bool is_local_name(const char *host)
{
    const char *end = host[0] == '[' ? strchr(host, ']') : strchr(host, ':');
    const char *begin = host[0] == '[' ? host + 1 : host;
    const size_t size = end ? (size_t)(end - begin) : strlen(begin);
    unsigned char address[16];
    char name[64];

    if (size >= sizeof name || (host[0] == '[' && !end))
        return false;
    memcpy(name, begin, size);
    name[size] = '\0';
    return strcasecmp(name, "localhost") == 0 ||
           inet_pton(AF_INET, name, address) == 1 ||
           inet_pton(AF_INET6, name, address) == 1;
}

/* Takes as long for a wrong token as for one that is nearly right. */
static bool is_equal(const char *token, const char *given)
{
    const size_t size = strlen(token), given_size = strlen(given);
    unsigned char differs = size == given_size ? 0 : 1;

    for (size_t i = 0; i < size; i++)
        differs |= (unsigned char)(token[i] ^
                                   given[given_size == 0 ? 0 : i % given_size]);
    return differs == 0;
}

bool has_token(const struct site *site, const struct request *request,
               const char *what, struct answer *answer)
{
    static const char scheme[] = "Bearer ";
    const char *token = site->config->topology->admin.token;
    const char *given = request->authorization;

    if (!token) {
        answer_error(answer, 403, "%s off: the topology has no admin.token",
                     what);
        return false;
    }
    if (!given || strncasecmp(given, scheme, strlen(scheme)) != 0) {
        answer_error(answer, 401,
                     "%s off without the header `Authorization: "
                     "Bearer TOKEN`, with admin.token",
                     what);
        return false;
    }
    if (!is_equal(token, given + strlen(scheme))) {
        answer_error(answer, 403, "this is not admin.token");
        return false;
    }
    return true;
}

/* ---- the way ---- */

static const struct page *find_page(const char *path)
{
    for (const struct page *page = pages; page->path; page++) {
        if (strcmp(page->path, path) == 0)
            return page;
    }
    return NULL;
}

static const char *allowed(const struct page *page)
{
    if (page->get && page->post)
        return "GET, HEAD, POST";
    return page->get ? "GET, HEAD" : "POST";
}

static void answer_page(const struct site *site, const struct page *page,
                        const struct request *request, struct answer *answer)
{
    const bool is_post = strcmp(request->method, "POST") == 0;
    const bool is_get = strcmp(request->method, "GET") == 0 ||
                        strcmp(request->method, "HEAD") == 0;

    if (is_get && page->get) {
        page->get(site, request, answer);
    } else if (is_post && page->post) {
        if (has_token(site, request, "changes are", answer))
            page->post(site, request, answer);
    } else {
        answer_error(answer, 405, "this path takes %s", allowed(page));
        answer->allowed = allowed(page);
    }
}

void respond(const struct site *site, const struct request *request,
             struct answer *ret_answer)
{
    const struct page *page = find_page(request->path);

    *ret_answer = (struct answer){0};
    if (site->is_loopback && request->host && !is_local_name(request->host))
        answer_error(ret_answer, 403,
                     "asked for by a name that is not localhost, while it "
                     "listens on this machine only");
    else if (!page)
        answer_error(ret_answer, 404, "there is nothing at this path");
    else
        answer_page(site, page, request, ret_answer);
}
