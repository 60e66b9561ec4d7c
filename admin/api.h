/*
 * api.h - the pages that respond.c chooses from; each fills in a zeroed answer.
 */
#ifndef WEIR_ADMIN_API_H
#define WEIR_ADMIN_API_H

#include <jansson.h>

#include "plain.h"
#include "respond.h"

typedef void (*page_fn)(const struct site *site, const struct request *request,
                        struct answer *answer);

/* Takes `json`; NULL: there was no memory. */
void answer_json(struct answer *answer, unsigned status, json_t *json);

/* {"error": "..."} */
WEIR_PRINTF(3, 4)
void answer_error(struct answer *answer, unsigned status, const char *fmt, ...);

/* Copies. */
void answer_text(struct answer *answer, unsigned status, const char *type,
                 const char *text);

/* The request has the token of the topology.  False: it was answered, that
 * `what` ("changes are") is off. */
bool has_token(const struct site *site, const struct request *request,
               const char *what, struct answer *answer);

/* dashboard.c: `/` and what it loads */
void page_dashboard(const struct site *site, const struct request *request,
                    struct answer *answer);

/* probes.c */
void page_livez(const struct site *site, const struct request *request,
                struct answer *answer);
void page_readyz(const struct site *site, const struct request *request,
                 struct answer *answer);
void page_health(const struct site *site, const struct request *request,
                 struct answer *answer);

/* scrape.c */
void page_metrics(const struct site *site, const struct request *request,
                  struct answer *answer);

/* api_run.c */
void page_version(const struct site *site, const struct request *request,
                  struct answer *answer);
void page_ledger(const struct site *site, const struct request *request,
                 struct answer *answer);

/* api_inspect.c */
void page_sources(const struct site *site, const struct request *request,
                  struct answer *answer);
void page_stages(const struct site *site, const struct request *request,
                 struct answer *answer);
void page_mailboxes(const struct site *site, const struct request *request,
                    struct answer *answer);
void page_failures(const struct site *site, const struct request *request,
                   struct answer *answer);
void page_explain(const struct site *site, const struct request *request,
                  struct answer *answer);

/* api_tap.c */
void page_tap(const struct site *site, const struct request *request,
              struct answer *answer);

/* api_reload.c; the same as JSON, NULL without memory */
void page_reload(const struct site *site, const struct request *request,
                 struct answer *answer);
void change_reload(const struct site *site, const struct request *request,
                   struct answer *answer);
json_t *reload_json(const struct site *site);

/* api_topology.c, api_configuration.c */
void page_topology(const struct site *site, const struct request *request,
                   struct answer *answer);
void page_configuration(const struct site *site, const struct request *request,
                        struct answer *answer);

/* api_change.c */
void page_rate_limit(const struct site *site, const struct request *request,
                     struct answer *answer);
void page_log_level(const struct site *site, const struct request *request,
                    struct answer *answer);
void change_rate_limit(const struct site *site, const struct request *request,
                       struct answer *answer);
void change_log_level(const struct site *site, const struct request *request,
                      struct answer *answer);
void change_pause(const struct site *site, const struct request *request,
                  struct answer *answer);
void change_resume(const struct site *site, const struct request *request,
                   struct answer *answer);
void change_drain(const struct site *site, const struct request *request,
                  struct answer *answer);

#endif
