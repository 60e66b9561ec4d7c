/*
 * scrape.c - /metrics: what a run measures, for Prometheus.
 *
 * Threads: the admin's.
 */
#include "api.h"
#include "exposition.h"
#include "metrics.h"

void page_metrics(const struct site *site, const struct request *request,
                  struct answer *answer)
{
    const struct metrics_source source = {.topology = site->config->topology,
                                          .pipeline = site->config->pipeline,
                                          .traces = site->config->traces};
    struct exposition exposition = {
        .out = open_memstream(&answer->body, &answer->size)};
    const struct metrics_form form = exposition_form(&exposition);
    bool is_whole;

    (void)request;
    if (!exposition.out)
        return;
    is_whole =
        metrics_tell(&source, &form) == WEIR_OK && ferror(exposition.out) == 0;
    answer->type = EXPOSITION_TYPE;
    answer->status = fclose(exposition.out) == 0 && is_whole ? 200 : 0;
}
