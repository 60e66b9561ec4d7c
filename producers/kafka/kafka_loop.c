/*
 * kafka_loop.c - whether a destination leads back to its source.
 *
 * A dead letter in a topic that is read here would fail again, for ever.  What
 * can be known without a connection: a broker that both name, and a topic that
 * is in the list, matches one of its expressions, or does so for some topic
 * that is read (`%{topic}.dead` and `^orders`).  An expression that isn't
 * anchored at its end goes on matching whatever is appended.
 *
 * Threads: none; nothing is kept.
 */
#include "kafka_loop.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "template.h"

enum { TOPIC_SIZE = 512, BROKER_SIZE = 300 };

static const char *without_scheme(const char *broker)
{
    const char *const behind = strstr(broker, "://");

    return behind ? behind + strlen("://") : broker;
}

/* With its port: 9092 where none is written. */
static void normalise(const char *broker, char out[BROKER_SIZE])
{
    const char *const host = without_scheme(broker);
    const char *const bracket = strrchr(host, ']');

    (void)snprintf(out, BROKER_SIZE, "%s%s", host,
                   strchr(bracket ? bracket : host, ':') ? "" : ":9092");
}

static bool share_a_broker(const struct weir_settings *one,
                           const struct weir_settings *other)
{
    char left[BROKER_SIZE], right[BROKER_SIZE];

    for (size_t i = 0; i < weir_settings_count(one, "brokers"); i++) {
        normalise(weir_settings_item(one, "brokers", i), left);
        for (size_t k = 0; k < weir_settings_count(other, "brokers"); k++) {
            normalise(weir_settings_item(other, "brokers", k), right);
            if (strcasecmp(left, right) == 0)
                return true;
        }
    }
    return false;
}

static bool matches(const char *expression, const char *topic)
{
    regex_t regex;
    bool is_match;

    if (regcomp(&regex, expression, REG_EXTENDED | REG_NOSUB) != 0)
        return false; /* refused for that */
    is_match = regexec(&regex, topic, 0, NULL, 0) == 0;
    regfree(&regex);
    return is_match;
}

static bool reads_topic(const struct weir_settings *settings, const char *topic)
{
    for (size_t i = 0; i < weir_settings_count(settings, "topics"); i++) {
        const char *const item = weir_settings_item(settings, "topics", i);

        if (item[0] == '^' ? matches(item, topic) : strcmp(item, topic) == 0)
            return true;
    }
    return false;
}

static struct weir_bytes topic_itself(void *opaque, const char *name)
{
    (void)name; /* it is asked for no other one */
    return weir_str(opaque);
}

static bool reads_rendered(const struct weir_settings *settings,
                           const struct template *template, char *from)
{
    char topic[TOPIC_SIZE];
    const size_t size =
        template_render(template, topic_itself, from, topic, sizeof topic - 1);

    if (size >= sizeof topic)
        return false;
    topic[size] = '\0';
    return reads_topic(settings, topic);
}

/* For one topic that is read, or all that an expression matches. */
static bool leads_back(const struct weir_settings *settings,
                       const struct template *template, const char *text,
                       const char *item)
{
    static const char place[] = "%{topic}";
    char from[TOPIC_SIZE];

    if (item[0] == '^')
        return strncmp(text, place, strlen(place)) == 0 && !strchr(item, '$');
    (void)snprintf(from, sizeof from, "%s", item);
    return reads_rendered(settings, template, from);
}

static bool asks_only_for_topics(const struct template *template)
{
    for (size_t i = 0; i < template_name_count(template); i++) {
        if (strcmp(template_name(template, i), "topic") != 0)
            return false; /* known only with a message */
    }
    return true;
}

static bool reads_template(const struct weir_settings *settings,
                           const char *text)
{
    struct template *template = NULL;
    bool is_read = false;
    char none[] = "";

    if (template_parse(text, &template, NULL) != WEIR_OK)
        return false; /* refused for that */
    if (template_name_count(template) == 0)
        is_read = reads_rendered(settings, template, none);
    else if (asks_only_for_topics(template)) {
        for (size_t i = 0; i < weir_settings_count(settings, "topics"); i++)
            is_read |= leads_back(settings, template, text,
                                  weir_settings_item(settings, "topics", i));
    }
    template_destroy(template);
    return is_read;
}

bool kafka_loop_reads(const struct weir_settings *settings,
                      const struct weir_settings *sink)
{
    const char *const topic = weir_settings_string(sink, "topic");

    return topic && share_a_broker(settings, sink) &&
           reads_template(settings, topic);
}
