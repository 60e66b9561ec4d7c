/*
 * admin_request_fuzz.c - any request to the admin interface.
 *
 * The first line is the method, the path with a query, and the host, the rest
 * the body.  With
 * the token, so that what is behind it is reached; whatever comes, there is an
 * answer, and a page that isn't JSON or text is none of ours.
 */
#include "target.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "endpoint.h"
#include "fake_connectors.h"
#include "invariant.h"
#include "log.h"
#include "pipeline.h"
#include "respond.h"

static const char topology_text[] = "name: fuzz\n"
                                    "producer: counter\n"
                                    "processors: { handler: passthrough }\n"
                                    "batchers: { default: { sink: void } }\n"
                                    "failure: { then: drop }\n"
                                    "admin: { token: sixteen-letters- }\n";

static void drop_line(void *opaque, enum weir_log_level level, const char *line)
{
    (void)opaque;
    (void)level;
    (void)line;
}

/* Made once, and never run. */
static const struct admin_config *config(void)
{
    static struct admin_config made;
    const struct topology_source source = {.file = "/t.yaml",
                                           .text = topology_text};
    struct pipeline_options options = {0};
    struct topology_errors errors;
    struct topology *topology = NULL;

    if (made.pipeline)
        return &made;
    log_set_callback(drop_line, NULL);
    INVARIANT(topology_load(&source, &fake_connectors, &topology, &errors) ==
              WEIR_OK);
    topology_errors_finish(&errors);
    options.handler = topology->processors.handler.builtin;
    INVARIANT(pipeline_create(topology, &options, &made.pipeline, NULL) ==
              WEIR_OK);
    made.topology = topology;
    made.handler = options.handler;
    return &made;
}

static void check(const struct answer *answer)
{
    json_t *json;

    INVARIANT(answer->status >= 200 && answer->status < 600);
    INVARIANT(answer->body && answer->type);
    if (strcmp(answer->type, "application/json") != 0)
        return;
    json = json_loadb(answer->body, answer->size, 0, NULL);
    INVARIANT(json);
    json_decref(json);
}

/* Cuts the query off the path. */
static void take_arguments(char *path, struct request *request)
{
    char *rest = NULL, *pair, *query = strchr(path, '?');

    if (!query)
        return;
    *query = '\0';
    for (pair = strtok_r(query + 1, "&", &rest); pair;
         pair = strtok_r(NULL, "&", &rest)) {
        char *value = strchr(pair, '=');

        if (value)
            *value++ = '\0';
        if (request->argument_count < CALL_ARGUMENTS)
            request->arguments[request->argument_count] =
                (struct call_argument){.name = pair, .value = value};
        request->argument_count++;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct site site = {.config = config(), .is_loopback = true};
    struct request request = {.method = "GET",
                              .path = "",
                              .authorization = "Bearer sixteen-letters-"};
    char *text = target_text(data, size), *rest = NULL, *line, *path;
    struct endpoint endpoint;
    struct answer answer;

    if (!text)
        return 0;
    request.body = strchr(text, '\n') ? strchr(text, '\n') + 1 : "";
    request.body_size = strlen(request.body);
    line = strndup(text, strcspn(text, "\n"));
    if (line && strtok_r(line, " ", &rest)) {
        request.method = line;
        path = strtok_r(NULL, " ", &rest);
        if (path)
            take_arguments(path, &request);
        request.path = path;
        request.host = strtok_r(NULL, " ", &rest);
        request.accept = rest;
        if (!request.path)
            request.path = "";
    }
    respond(&site, &request, &answer);
    check(&answer);
    if (request.host)
        (void)!endpoint_parse(request.host, &endpoint, NULL);
    free(answer.body);
    free(line);
    free(text);
    return 0;
}
