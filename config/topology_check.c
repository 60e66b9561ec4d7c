/*
 * topology_check.c - values that make no sense together.
 *
 * Each check is one sentence: what is wrong, and what to write instead.  They
 * run on values that are sound by themselves, defaults included, so a sentence
 * may name a key that isn't written.
 *
 * Threads: none; the loader's.
 */
#include "topology_build.h"

#include <string.h>

#include "endpoint.h"
#include "template.h"

#include "fields.h"
#include "value.h"
#include "wordlist.h"

static void check_demand(const struct build *build)
{
    const struct topology_processors *processors = &build->topology->processors;

    if (processors->min_demand == 0)
        weir_settings_refuse(build->processors, "max_demand",
                             "1 leaves no room for min_demand, which is at "
                             "least 1 and less: max_demand is at least 2");
    else if (processors->min_demand >= processors->max_demand)
        weir_settings_refuse(
            build->processors,
            weir_settings_has(build->processors, "min_demand") ? "min_demand"
                                                               : "max_demand",
            "min_demand (%u) must be less than max_demand (%u), or nothing "
            "would ever be asked for",
            processors->min_demand, processors->max_demand);
}

static void check_ordering_key(const struct build *build)
{
    const struct topology_processors *processors = &build->topology->processors;
    struct template *template = NULL;

    if (!processors->ordering_key)
        return;
    if (processors->ordering != WEIR_ORDERING_KEY)
        weir_settings_refuse(build->processors, "ordering_key",
                             "has a meaning with `ordering: key` only");
    if (template_parse(processors->ordering_key, &template, NULL) != WEIR_OK) {
        build->reader.report->is_out_of_memory = true;
        return;
    }
    if (template_name_count(template) == 0)
        weir_settings_refuse(build->processors, "ordering_key",
                             "is the same for every message: a key has at "
                             "least one place, as in \"%%{header.customer}\"");
    template_destroy(template);
}

static void check_fields(const struct build *build)
{
    const struct weir_producer_ops *ops = build->topology->producer.ops;

    if (build->processors)
        fields_check(build->processors, ops, FIELDS_OF_SOURCE);
    for (size_t i = 0; i < build->topology->batcher_count; i++) {
        if (build->batchers[i].sink.settings)
            fields_check(build->batchers[i].sink.settings, ops, FIELDS_OF_SINK);
    }
}

static void check_ordering(const struct build *build)
{
    const struct topology *topology = build->topology;
    const enum weir_ordering ordering = topology->processors.ordering;
    const enum weir_policy policy = topology->failure.then;

    check_ordering_key(build);
    if (topology->processors.requeue_breaks_order &&
        (ordering == WEIR_ORDERING_NONE ||
         (policy != WEIR_POLICY_REQUEUE && policy != WEIR_POLICY_REQUEUE_ONCE)))
        weir_settings_warn(build->processors, "ordering_on_requeue",
                           "changes nothing: there is no order that a requeue "
                           "could break");
    if (ordering != WEIR_ORDERING_NONE && topology_routable(topology) > 1)
        report_warning(build->reader.report,
                       build->batchers[0].settings->node->parent, "",
                       "messages of one lane keep their order within one "
                       "batcher and batch key; between these %zu batchers "
                       "there is none",
                       topology_routable(topology));
}

static void check_rate_limit(const struct build *build)
{
    const struct topology_rate_limit *limit =
        &build->topology->producer.rate_limit;

    if (limit->interval_us > 0 && limit->messages == 0 && limit->bytes == 0)
        weir_settings_refuse(build->producer, "rate_limit",
                             "limits nothing: it needs `messages`, `bytes` or "
                             "both");
}

static void check_policy(const struct build *build)
{
    const struct weir_producer_ops *ops = build->topology->producer.ops;
    const enum weir_policy policy = build->topology->failure.then;
    unsigned policies = WEIR_POLICY_BIT(WEIR_POLICY_DEAD_LETTER);
    char able[80] = "";

    if (!ops || !weir_settings_has(build->top, "failure.then"))
        return;
    policies |= ops->policies; /* and a confirmed letter is done for any */
    for (unsigned i = 0; i < WEIR_POLICY_COUNT; i++) {
        if (policies & WEIR_POLICY_BIT(i))
            wordlist_append(able, sizeof able,
                            WEIR_STR(topology_policy_names[i]));
    }
    if (!(policies & WEIR_POLICY_BIT(policy)))
        weir_settings_refuse(build->top, "failure.then",
                             "%s can't %s a message; with it a failed message "
                             "can meet: %s",
                             ops->name, topology_policy_names[policy], able);
    else if (build->topology->until_end && policy == WEIR_POLICY_REQUEUE)
        weir_settings_refuse(build->top, "failure.then",
                             "with --until-end a requeued message would come "
                             "back for ever: use reject, drop or stop");
    else if (build->topology->until_end && policy == WEIR_POLICY_REQUEUE_ONCE)
        weir_settings_refuse(build->top, "failure.then",
                             "with --until-end a requeued message might come "
                             "back for ever, since a classic queue counts no "
                             "deliveries: use reject, drop or stop");
}

static void check_dead_letter(const struct build *build)
{
    const struct topology *topology = build->topology;
    const bool is_policy = topology->failure.then == WEIR_POLICY_DEAD_LETTER &&
                           weir_settings_has(build->top, "failure.then");
    const bool is_builtin = topology->processors.handler.builtin;

    if (is_policy && !topology->has_dead_letter)
        weir_settings_refuse(build->top, "failure.then",
                             "needs a batcher of that name, as in `batchers: "
                             "{ dead_letter: { sink: ... } }`");
    else if (!is_policy && topology->has_dead_letter)
        report_warning(
            build->reader.report,
            build->batchers[topology->batcher_count - 1].settings->node, "",
            "%s, since `failure.then` is %s",
            is_builtin ? "no message will come here"
                       : "only failed messages come here for which the "
                         "handler chooses it",
            topology_policy_names[topology->failure.then]);
}

static void check_stop_above(const struct build *build)
{
    const char *text = weir_settings_string(build->top, "failure.stop_above");
    unsigned percent;
    int64_t over_us;
    const char *wrong = text ? value_share(text, &percent, &over_us) : NULL;

    if (wrong)
        weir_settings_refuse(build->top, "failure.stop_above", "`%s` %s", text,
                             wrong);
}

static void check_failure(const struct build *build)
{
    const struct topology_failure *failure = &build->topology->failure;

    if (failure->backoff_min_us > failure->backoff_max_us)
        weir_settings_refuse(build->top, "failure.retry.backoff.min",
                             "must not be more than failure.retry.backoff.max");
    check_policy(build);
    check_dead_letter(build);
    check_stop_above(build);
}

static void check_handler(const struct build *build)
{
    const struct topology *topology = build->topology;
    const struct weir_handler *builtin = topology->processors.handler.builtin;
    const size_t routable = topology_routable(topology);
    bool has_default = routable == 0;

    for (size_t i = 0; builtin && i < topology->batcher_count; i++) {
        const struct topology_batcher *batcher = &topology->batchers[i];
        const bool is_default = strcmp(batcher->name, "default") == 0;
        const struct node *node = build->batchers[i].settings->node;

        has_default = has_default || is_default;
        if (!is_default && i < routable)
            report_warning(build->reader.report, node, "",
                           "no message will come here: %s sends every message "
                           "to the batcher `default`",
                           builtin->name);
        if (!batcher->sink && !builtin->handle_batch &&
            !node_find(node, "sink", strlen("sink")))
            report_under(build->reader.report, node, "sink",
                         "is required: %s has no handle_batch() that could "
                         "take its batches",
                         builtin->name);
    }
    if (builtin && !has_default)
        report_under(build->reader.report,
                     build->batchers[0].settings->node->parent, "default",
                     "is required: %s sends every message there",
                     builtin->name);
}

static void check_memory(const struct build *build)
{
    const struct topology *topology = build->topology;
    const size_t message = topology->producer.max_message_bytes;
    const size_t half = topology->memory / 2;
    char written[32], room[32];

    value_size_format((int64_t)topology->memory, room, sizeof room);
    if (message > half / 2) {
        value_size_format((int64_t)message, written, sizeof written);
        weir_settings_refuse(build->producer, "max_message_bytes",
                             "%s is more than a quarter of `memory` (%s): "
                             "lower it, or raise `memory`",
                             written, room);
    }
    for (size_t i = 0; i < topology->batcher_count; i++) {
        const struct topology_batcher *batcher = &topology->batchers[i];

        value_size_format((int64_t)batcher->batch_bytes, written,
                          sizeof written);
        if (batcher->batch_bytes > half)
            weir_settings_refuse(build->batchers[i].settings, "batch_bytes",
                                 "%s is more than half of `memory` (%s), "
                                 "which is what messages in flight may use: "
                                 "such a batch would never fill",
                                 written, room);
        else if (batcher->batch_bytes < message)
            weir_settings_warn(build->batchers[i].settings, "batch_bytes",
                               "%s is less than producer.max_message_bytes: a "
                               "message that is larger makes a batch of its "
                               "own",
                               written);
    }
}

static void check_in_flight(const struct build *build)
{
    const struct topology *topology = build->topology;

    for (size_t i = 0; i < topology->batcher_count; i++) {
        const struct topology_batcher *batcher = &topology->batchers[i];

        if (batcher->max_in_flight > 1 &&
            topology->processors.ordering != WEIR_ORDERING_NONE &&
            !(batcher->sink && batcher->sink->is_ordered))
            weir_settings_warn(build->batchers[i].settings, "max_in_flight",
                               "counts as 1: this sink can't keep the order "
                               "of more than one batch under way");
    }
}

static void check_name(const struct build *build)
{
    const char *name = build->topology->name;

    if (weir_settings_has(build->top, "name") &&
        (name[0] == '\0' || strlen(name) > 200 || strpbrk(name, " \t\r\n/")))
        weir_settings_refuse(build->top, "name",
                             "a name is 1 to 200 characters, without blanks "
                             "and slashes");
}

/* It travels in a header. */
static bool is_token(const char *token)
{
    for (const char *c = token; *c != '\0'; c++) {
        if (*c <= ' ' || *c > '~')
            return false;
    }
    return strlen(token) >= 16 && strlen(token) <= 512;
}

static void check_admin(const struct build *build)
{
    const struct topology_admin *admin = &build->topology->admin;
    struct endpoint endpoint;
    struct weir_error err;

    if (!admin->listen)
        return;
    if (endpoint_parse(admin->listen, &endpoint, &err) != WEIR_OK)
        weir_settings_refuse(build->top, "admin.listen", "%s", err.text);
    else if (!endpoint_is_loopback(&endpoint) && admin->token && !admin->cert)
        weir_settings_warn(build->top, "admin.listen",
                           "others on the way can read the token: it has `tls`,"
                           " or is on 127.0.0.1");
    if (admin->token && !is_token(admin->token))
        weir_settings_refuse(build->top, "admin.token",
                             "has 16 to 512 characters, printable ones of "
                             "ASCII without blanks");
}

static bool is_metric_name(const char *name)
{
    return name[0] != '\0' && strlen(name) <= 100 &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")] ==
               '\0';
}

/* Never repeats it: it may have a password in it. */
static const char *wrong_endpoint(const char *url)
{
    const char *rest = strstr(url, "://");

    if (!rest || (strncmp(url, "http://", strlen("http://")) != 0 &&
                  strncmp(url, "https://", strlen("https://")) != 0))
        return "is no URL of a collector, as in "
               "http://localhost:4318/v1/traces";
    rest += strlen("://");
    if (url[strcspn(url, " \t\r\n\"<>")] != '\0' || rest[0] == '\0' ||
        rest[0] == '/')
        return "is no URL of a collector, as in "
               "http://localhost:4318/v1/traces";
    if (strcspn(rest, "@") < strcspn(rest, "/?#"))
        return "has a user in it: credentials are written as "
               "`authorization`";
    if (rest[strcspn(rest, "?#")] != '\0')
        return "has a query in it, which would be shown: credentials are "
               "written as `authorization`";
    return NULL;
}

/* It is one header. */
static bool is_header_value(const char *value)
{
    for (const char *c = value; *c != '\0'; c++) {
        if (*c < ' ' || *c > '~')
            return false;
    }
    return value[0] != '\0' && strlen(value) <= 1000;
}

static void check_traces(const struct build *build)
{
    const struct topology_traces *traces = &build->topology->telemetry.traces;
    const char *sample =
        weir_settings_string(build->top, "telemetry.traces.sample");
    const char *wrong;
    double share;

    if (!traces->endpoint)
        return;
    wrong = wrong_endpoint(traces->endpoint);
    if (wrong)
        weir_settings_refuse(build->top, "telemetry.traces.endpoint", "%s",
                             wrong);
    wrong = value_percent(sample, &share);
    if (wrong)
        weir_settings_refuse(build->top, "telemetry.traces.sample", "%s",
                             wrong);
    if (traces->authorization && !is_header_value(traces->authorization))
        weir_settings_refuse(build->top, "telemetry.traces.authorization",
                             "has 1 to 1000 characters, printable ones of "
                             "ASCII");
}

static void check_telemetry(const struct build *build)
{
    const struct topology_statsd *statsd = &build->topology->telemetry.statsd;
    struct endpoint_name name;
    struct weir_error err;

    check_traces(build);
    if (!statsd->address)
        return;
    if (endpoint_split(statsd->address, &name, &err) != WEIR_OK)
        weir_settings_refuse(build->top, "telemetry.statsd.address", "%s",
                             err.text);
    if (!is_metric_name(statsd->prefix))
        weir_settings_refuse(build->top, "telemetry.statsd.prefix",
                             "is made of letters, digits, _, . and -, 100 of "
                             "them at most");
}

void build_check(struct build *build)
{
    if (storage_is_exhausted(build->reader.storage))
        return;
    check_name(build);
    check_admin(build);
    check_telemetry(build);
    if (build->producer)
        check_rate_limit(build);
    check_demand(build);
    check_ordering(build);
    check_fields(build);
    check_failure(build);
    check_handler(build);
    check_memory(build);
    check_in_flight(build);
}
