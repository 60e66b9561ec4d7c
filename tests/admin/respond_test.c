/*
 * respond_test.c - what is answered, to whom, and what never is.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "log.h"
#include "respond.h"

#define TOKEN "planted-secret-of-a-token"
#define HEAD                                                                   \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked }\n"                                        \
    "batchers: { default: { sink: { SINK } } }\n"                              \
    "failure: { then: drop }\n"

static const char *const readable[] = {"/",
                                       "/dashboard.css",
                                       "/dashboard.js",
                                       "/livez",
                                       "/readyz",
                                       "/metrics",
                                       "/api/v1/version",
                                       "/api/v1/health",
                                       "/api/v1/topology",
                                       "/api/v1/ledger",
                                       "/api/v1/sources",
                                       "/api/v1/stages",
                                       "/api/v1/mailboxes",
                                       "/api/v1/failures",
                                       "/api/v1/explain",
                                       "/api/v1/tap",
                                       "/api/v1/rate_limit",
                                       "/api/v1/log_level",
                                       "/api/v1/reload",
                                       "/api/v1/configuration"};

enum { READABLE_COUNT = sizeof readable / sizeof readable[0] };

struct talk {
    struct harness *harness;
    struct admin_config config;
    struct site site;
    struct answer answer; /* to the last question */
};

static struct talk talk;

static int setup(void **state)
{
    talk = (struct talk){0};
    if (harness_setup(state) != 0)
        return -1;
    talk.harness = *state;
    return 0;
}

/* A pipeline that is made and doesn't run. */
static void make(const char *admin)
{
    char text[1024];

    (void)snprintf(text, sizeof text, HEAD "%s", admin);
    harness_create(talk.harness, text);
    talk.config = (struct admin_config){.topology = talk.harness->topology,
                                        .pipeline = talk.harness->pipeline,
                                        .handler = &talk.harness->handler};
    talk.site = (struct site){.config = &talk.config, .is_loopback = true};
}

static int teardown(void **state)
{
    free(talk.answer.body);
    log_set_level(WEIR_LOG_INFO);
    return harness_teardown(state);
}

static unsigned ask(const struct request *request)
{
    free(talk.answer.body);
    respond(&talk.site, request, &talk.answer);
    assert_non_null(talk.answer.body);
    assert_int_equal(strlen(talk.answer.body), talk.answer.size);
    return talk.answer.status;
}

static unsigned get(const char *path)
{
    return ask(&(struct request){.method = "GET", .path = path});
}

/* "rate=5&payload"; with the token, or NULL. */
static unsigned get_tap(const char *query, const char *authorization)
{
    struct request request = {
        .method = "GET", .path = "/api/v1/tap", .authorization = authorization};
    char text[400], *rest = NULL, *pair;

    (void)snprintf(text, sizeof text, "%s", query);
    for (pair = strtok_r(text, "&", &rest); pair;
         pair = strtok_r(NULL, "&", &rest)) {
        char *value = strchr(pair, '=');

        if (value)
            *value++ = '\0';
        if (request.argument_count < CALL_ARGUMENTS)
            request.arguments[request.argument_count] =
                (struct call_argument){.name = pair, .value = value};
        request.argument_count++;
    }
    return ask(&request);
}

static unsigned post(const char *path, const char *authorization,
                     const char *body)
{
    return ask(&(struct request){.method = "POST",
                                 .path = path,
                                 .authorization = authorization,
                                 .body = body,
                                 .body_size = strlen(body)});
}

static void assert_says(const char *part)
{
    if (!strstr(talk.answer.body, part))
        fail_msg("`%s` is not in %s", part, talk.answer.body);
}

static void every_page_is_there_by_get_and_head(void **state)
{
    (void)state;
    make("");
    for (unsigned i = 0; i < READABLE_COUNT; i++) {
        const unsigned status = strcmp(readable[i], "/readyz") == 0 ? 503 : 200;

        assert_int_equal(get(readable[i]), status);
        assert_int_equal(
            ask(&(struct request){.method = "HEAD", .path = readable[i]}),
            status);
    }
}

static void other_paths_and_methods_are_refused(void **state)
{
    (void)state;
    make("");
    assert_int_equal(get("/nothing"), 404);
    assert_int_equal(get("/livez/"), 404);
    assert_int_equal(get(""), 404);
    assert_int_equal(ask(&(struct request){.method = "PUT", .path = "/livez"}),
                     405);
    assert_string_equal(talk.answer.allowed, "GET, HEAD");
    assert_int_equal(get("/api/v1/pause"), 405);
    assert_string_equal(talk.answer.allowed, "POST");
}

static void readiness_says_why_in_text_and_json(void **state)
{
    (void)state;
    make("");
    assert_int_equal(get("/readyz"), 503);
    assert_says("not ready\nstarting: ");
    assert_int_equal(ask(&(struct request){.method = "GET",
                                           .path = "/readyz",
                                           .accept = "application/json"}),
                     503);
    assert_says("\"ready\":false");
    assert_says("\"code\":\"starting\"");
    assert_int_equal(get("/livez"), 200);
    assert_string_equal(talk.answer.body, "live\n");
}

static void metrics_have_each_reason(void **state)
{
    (void)state;
    make("");
    assert_int_equal(get("/metrics"), 200);
    assert_says("\nweir_not_ready{pipeline=\"test\",reason=\"starting\"} 1\n");
    assert_says("\nweir_not_ready{pipeline=\"test\",reason=\"stalled\"} 0\n");
}

static void a_foreign_name_is_refused_where_only_this_machine_is_served(
    void **state)
{
    static const char *const fine[] = {"localhost", "LOCALHOST:9464",
                                       "127.0.0.1:9464", "[::1]:9464",
                                       "10.1.2.3"};
    static const char *const foreign[] = {"evil.example", "localhost.evil:80",
                                          "127.0.0.1.evil:80", "", "[::1"};
    struct request request = {.method = "GET", .path = "/livez"};

    (void)state;
    make("");
    for (unsigned i = 0; i < 5; i++) {
        request.host = fine[i];
        assert_int_equal(ask(&request), 200);
        request.host = foreign[i];
        assert_int_equal(ask(&request), 403);
    }
    talk.site.is_loopback = false;
    request.host = "weir.orders.svc:9464";
    assert_int_equal(ask(&request), 200);
}

static void without_a_token_nothing_can_be_changed(void **state)
{
    (void)state;
    make("");
    assert_int_equal(post("/api/v1/pause", NULL, ""), 403);
    assert_says("no admin.token");
    assert_int_equal(post("/api/v1/pause", "Bearer ", ""), 403);
    assert_false(pipeline_is_paused(talk.harness->pipeline));
}

static void a_change_needs_the_token(void **state)
{
    static const char *const wrong[] = {
        "Bearer planted-secret-of-a-tokeN", "Bearer planted-secret-of-a-toke",
        "Bearer planted-secret-of-a-token-", "Bearer ",
        "Bearer planted-secret-of-a-tokenplanted-secret-of-a-token"};

    (void)state;
    make("admin: { token: " TOKEN " }\n");
    assert_int_equal(post("/api/v1/pause", NULL, ""), 401);
    assert_int_equal(post("/api/v1/pause", TOKEN, ""), 401);
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(post("/api/v1/pause", wrong[i], ""), 403);
        assert_null(strstr(talk.answer.body, "planted"));
    }
    assert_false(pipeline_is_paused(talk.harness->pipeline));
    assert_int_equal(post("/api/v1/pause", "bearer " TOKEN, ""), 200);
    assert_true(pipeline_is_paused(talk.harness->pipeline));
    assert_int_equal(get("/readyz"), 503);
    assert_says("paused: ");
    assert_int_equal(post("/api/v1/resume", "Bearer " TOKEN, ""), 200);
    assert_false(pipeline_is_paused(talk.harness->pipeline));
}

static void the_rate_limit_can_be_changed(void **state)
{
    struct topology_rate_limit limit;

    (void)state;
    make("admin: { token: " TOKEN " }\n");
    assert_int_equal(post("/api/v1/rate_limit", "Bearer " TOKEN,
                          "{\"messages\": 500, \"interval_seconds\": 0.5}"),
                     200);
    pipeline_rate(talk.harness->pipeline, &limit);
    assert_int_equal(limit.messages, 500);
    assert_int_equal(limit.bytes, 0);
    assert_int_equal(limit.interval_us, 500000);
    assert_int_equal(get("/api/v1/rate_limit"), 200);
    assert_string_equal(
        talk.answer.body,
        "{\"messages\":500,\"bytes\":null,\"interval_seconds\":0.5}");
    assert_int_equal(get("/metrics"), 200);
    assert_says("weir_rate_limit_messages_per_second{pipeline=\"test\"} 1000");
    assert_int_equal(post("/api/v1/rate_limit", "Bearer " TOKEN, "{}"), 200);
    pipeline_rate(talk.harness->pipeline, &limit);
    assert_int_equal(limit.messages, 0);
}

static void a_limit_that_is_none_is_refused_whole(void **state)
{
    static const char *const wrong[] = {
        "",
        "{",
        "[]",
        "5",
        "{\"messages\":0}",
        "{\"messages\":-1}",
        "{\"messages\":1e300}",
        "{\"messages\":\"5\"}",
        "{\"messages\":5,\"messages\":6}",
        "{\"messages\":5,\"interval_seconds\":0}",
        "{\"messages\":5,\"intervall\":1}",
        "{\"bytes\":true}",
        "{\"messages\":5}x"};
    struct topology_rate_limit limit;

    (void)state;
    make("admin: { token: " TOKEN " }\n");
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(post("/api/v1/rate_limit", "Bearer " TOKEN, wrong[i]),
                         400);
    pipeline_rate(talk.harness->pipeline, &limit);
    assert_int_equal(limit.messages, 0);
}

static void the_log_level_can_be_changed(void **state)
{
    (void)state;
    make("admin: { token: " TOKEN " }\n");
    assert_int_equal(
        post("/api/v1/log_level", "Bearer " TOKEN, "{\"level\":\"error\"}"),
        200);
    assert_int_equal(log_level(), WEIR_LOG_ERROR);
    assert_int_equal(
        post("/api/v1/log_level", "Bearer " TOKEN, "{\"level\":\"loud\"}"),
        400);
    assert_int_equal(post("/api/v1/log_level", "Bearer " TOKEN, "{}"), 400);
    assert_int_equal(log_level(), WEIR_LOG_ERROR);
}

static void a_run_can_be_drained(void **state)
{
    (void)state;
    make("admin: { token: " TOKEN " }\n");
    producer_script_set_endless(talk.harness->source);
    harness_begin(talk.harness);
    assert_int_equal(post("/api/v1/drain", "Bearer " TOKEN, ""), 202);
    assert_int_equal(harness_join(talk.harness), 0);
}

static void no_page_has_a_secret(void **state)
{
    (void)state;
    make("admin: { token: " TOKEN " }\n");
    for (unsigned i = 0; i < READABLE_COUNT; i++) {
        (void)get(readable[i]);
        if (strstr(talk.answer.body, "planted"))
            fail_msg("%s shows the token: %s", readable[i], talk.answer.body);
    }
    (void)get("/api/v1/configuration");
    assert_says("\"token\":\"***\"");
}

/* Of each line of the page: a comment, or a sample of the last family. */
static bool is_part_of_histogram(const char *suffix)
{
    return strncmp(suffix, "_bucket{", 8) == 0 ||
           strncmp(suffix, "_sum{", 5) == 0 ||
           strncmp(suffix, "_count{", 7) == 0;
}

static void every_metric_has_its_help_and_type(void **state)
{
    char family[128] = "", *line, *rest = NULL;
    bool is_histogram = false;
    unsigned families = 0;

    (void)state;
    make("");
    assert_int_equal(get("/metrics"), 200);
    for (line = strtok_r(talk.answer.body, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest)) {
        char name[128], type[32];

        if (sscanf(line, "# HELP %127s", name) == 1) {
            assert_string_not_equal(name, family);
            (void)snprintf(family, sizeof family, "%s", name);
            families++;
        } else if (sscanf(line, "# TYPE %127s %31s", name, type) == 2) {
            const size_t size = strlen(name);

            assert_string_equal(name, family);
            is_histogram = strcmp(type, "histogram") == 0;
            assert_int_equal(strcmp(type, "counter") == 0,
                             strcmp(name + size - 6, "_total") == 0);
        } else {
            assert_int_equal(strncmp(line, family, strlen(family)), 0);
            assert_true(is_histogram
                            ? is_part_of_histogram(line + strlen(family))
                            : line[strlen(family)] == '{');
        }
    }
    assert_in_range(families, 25, 100);
    talk.answer.body[0] = '\0';
}

static void what_a_run_counted_is_told_alike_everywhere(void **state)
{
    (void)state;
    make("");
    producer_script_begin(talk.harness->source, 0, "t", 0);
    producer_script_add_many(talk.harness->source, 0, 7);
    harness_begin(talk.harness);
    assert_int_equal(harness_end(talk.harness), 0);
    assert_int_equal(get("/api/v1/ledger"), 200);
    assert_says("\"received\":7,\"done\":7,\"rejected\":0,\"abandoned\":0,"
                "\"in_flight\":0,");
    assert_int_equal(get("/metrics"), 200);
    assert_says("weir_messages_received_total{pipeline=\"test\"} 7\n");
    assert_says("weir_messages_done_total{pipeline=\"test\"} 7\n");
    assert_says("weir_messages_in_flight{pipeline=\"test\"} 0\n");
    assert_int_equal(harness_finish(talk.harness), 0);
}

/* The same question, for the tap that the last answer began. */
static void get_more(const char *query, const char *authorization)
{
    json_t *page = json_loads(talk.answer.body, 0, NULL);
    char text[400];

    (void)snprintf(text, sizeof text, "%s&tap=%lld", query,
                   (long long)json_integer_value(json_object_get(page, "tap")));
    json_decref(page);
    assert_int_equal(get_tap(text, authorization), 200);
}

static void run_three(void)
{
    producer_script_begin(talk.harness->source, 0, "t", 3);
    producer_script_add(talk.harness->source, 0, "k\x1b[2J", "a\"\x1b]0;x\a");
    producer_script_add(talk.harness->source, 0, "k", "\xff\xfe");
    producer_script_add(talk.harness->source, 0, NULL, "plain");
    harness_begin(talk.harness);
    assert_int_equal(harness_end(talk.harness), 0);
}

static void a_tap_shows_what_ended_and_not_what_was_in_it(void **state)
{
    (void)state;
    make("admin: { token: " TOKEN " }\n");
    assert_int_equal(get_tap("rate=100", NULL), 200);
    assert_says("\"messages\":[]");
    run_three();
    get_more("rate=100", NULL);
    assert_says("\"outcome\":\"done\",\"code\":null,\"reason\":null,"
                "\"name\":\"t\",\"partition\":3,\"position\":2,");
    assert_null(strstr(talk.answer.body, "plain"));
    assert_null(strstr(talk.answer.body, "key"));
    get_more("rate=100", NULL);
    assert_says("\"messages\":[]"); /* each once */
    assert_int_equal(harness_finish(talk.harness), 0);
}

static void a_tap_shows_payloads_with_the_token_only(void **state)
{
    static const char query[] = "rate=100&payload=true&outcomes=done,retried";

    (void)state;
    make("admin: { token: " TOKEN " }\n");
    assert_int_equal(get_tap(query, NULL), 401);
    assert_int_equal(get_tap(query, "Bearer wrong-wrong-wrong-wrong"), 403);
    assert_int_equal(get_tap(query, "Bearer " TOKEN), 200);
    run_three();
    get_more(query, "Bearer " TOKEN);
    assert_says(
        "\"key\":\"k\\u001B[2J\",\"payload\":\"a\\\"\\u001B]0;x\\u0007\","
        "\"is_cut\":false");
    assert_says("\"payload_base64\":\"//4=\"");
    assert_says("\"key\":null,\"payload\":\"plain\"");
    assert_int_equal(harness_finish(talk.harness), 0);
}

static void without_a_token_no_payload_is_shown(void **state)
{
    (void)state;
    make("");
    assert_int_equal(get_tap("payload=true", NULL), 403);
    assert_says("no admin.token");
    assert_int_equal(get_tap("payload=true", "Bearer "), 403);
}

static void a_question_that_is_none_begins_no_tap(void **state)
{
    static const char *const wrong[] = {
        "rate=0",
        "rate=1001",
        "rate=-1",
        "rate=1e2",
        "rate",
        "rate=",
        "outcomes=",
        "outcomes=done,",
        "outcomes=don",
        "outcomes=doner",
        "outcomes",
        "payload=yes",
        "payload",
        "tap=x",
        "tap=99999999999999999999",
        "tape=1",
        "rate=1&rate=2&rate=3&rate=4&rate=5&rate=6&rate=7&rate=8&rate=9"};

    (void)state;
    make("");
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(get_tap(wrong[i], NULL), 400);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(get_tap("rate=5", NULL), 200);
    assert_int_equal(get_tap("rate=5", NULL), 503);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_page_is_there_by_get_and_head),
        TEST(other_paths_and_methods_are_refused),
        TEST(readiness_says_why_in_text_and_json),
        TEST(metrics_have_each_reason),
        TEST(a_foreign_name_is_refused_where_only_this_machine_is_served),
        TEST(without_a_token_nothing_can_be_changed),
        TEST(a_change_needs_the_token),
        TEST(the_rate_limit_can_be_changed),
        TEST(a_limit_that_is_none_is_refused_whole),
        TEST(the_log_level_can_be_changed),
        TEST(a_run_can_be_drained),
        TEST(a_tap_shows_what_ended_and_not_what_was_in_it),
        TEST(a_tap_shows_payloads_with_the_token_only),
        TEST(without_a_token_no_payload_is_shown),
        TEST(a_question_that_is_none_begins_no_tap),
        TEST(no_page_has_a_secret),
        TEST(every_metric_has_its_help_and_type),
        TEST(what_a_run_counted_is_told_alike_everywhere),
    };

    return cmocka_run_group_tests_name("respond", tests, NULL, NULL);
}
