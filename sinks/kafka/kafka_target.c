/*
 * kafka_target.c - which topic and key a message gets.
 *
 * The client finds a topic by its name in a list, so handles are kept: one
 * where the topic is fixed, else as many as there are places, each of which
 * holds the last topic whose name has its hash.  A handle that is given back
 * while messages are under way stays alive in the client.
 *
 * Threads: the writer's.
 */
#include "kafka_target.h"

#include <string.h>

#include "hash.h"
#include "message_text.h"

enum { NAME_MAX_SIZE = 249 };

const char *kafka_target_refusal(struct weir_bytes name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const char *const text = name.data;

    if (name.size == 0)
        return "is no topic: it is empty";
    if (name.size > NAME_MAX_SIZE)
        return "is no topic: it has more than 249 characters";
    for (size_t i = 0; i < name.size; i++) {
        if (text[i] == '\0' || !strchr(allowed, text[i]))
            return "is no topic: only letters, digits, '.', '_' and '-' are "
                   "allowed";
    }
    if (text[0] == '.' &&
        (name.size == 1 || (name.size == 2 && text[1] == '.')))
        return "is no topic";
    return NULL;
}

static enum weir_status make_handle(rd_kafka_t *rk, const char *name,
                                    rd_kafka_topic_t **ret_topic,
                                    struct weir_error *err)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);

    if (!topic)
        return weir_fail(err, WEIR_RETRY, "cannot use the topic '%s': %s", name,
                         rd_kafka_err2str(rd_kafka_last_error()));
    *ret_topic = topic;
    return WEIR_OK;
}

enum weir_status kafka_target_open(struct kafka_target *target, rd_kafka_t *rk,
                                   const struct weir_settings *settings,
                                   struct weir_error *err)
{
    const char *const topic = weir_settings_string(settings, "topic");
    const char *const key = weir_settings_string(settings, "key");
    enum weir_status status = template_parse(topic, &target->topic, err);

    target->rk = rk;
    if (status == WEIR_OK && key)
        status = template_parse(key, &target->key, err);
    if (status == WEIR_OK && template_name_count(target->topic) == 0)
        status = make_handle(rk, topic, &target->fixed, err);
    return status;
}

void kafka_target_close(struct kafka_target *target)
{
    if (target->fixed)
        rd_kafka_topic_destroy(target->fixed);
    for (size_t i = 0; i < KAFKA_TARGET_HANDLES; i++) {
        if (target->handles[i])
            rd_kafka_topic_destroy(target->handles[i]);
    }
    template_destroy(target->topic);
    template_destroy(target->key);
    buffer_finish(&target->key_text);
    *target = (struct kafka_target){0};
}

static enum weir_status find_handle(struct kafka_target *target,
                                    const char *name,
                                    rd_kafka_topic_t **ret_topic,
                                    struct weir_error *err)
{
    const uint64_t hash = hash_bytes(name, strlen(name), 0);
    rd_kafka_topic_t **place = &target->handles[hash % KAFKA_TARGET_HANDLES];

    if (*place && strcmp(rd_kafka_topic_name(*place), name) != 0) {
        rd_kafka_topic_destroy(*place);
        *place = NULL;
    }
    if (!*place) {
        const enum weir_status status =
            make_handle(target->rk, name, place, err);

        if (status != WEIR_OK)
            return status;
    }
    *ret_topic = *place;
    return WEIR_OK;
}

enum weir_status kafka_target_topic(struct kafka_target *target,
                                    const struct weir_message *msg,
                                    rd_kafka_topic_t **ret_topic,
                                    struct weir_error *err)
{
    char name[NAME_MAX_SIZE + 1];
    const char *absent, *refusal;
    size_t size;

    if (target->fixed) {
        *ret_topic = target->fixed;
        return WEIR_OK;
    }
    size =
        message_text_render(target->topic, msg, name, sizeof name - 1, &absent);
    if (absent)
        return weir_fail(err, WEIR_REJECT,
                         "it has no %.60s, which `topic` is made of", absent);
    refusal = kafka_target_refusal((struct weir_bytes){name, size});
    if (refusal)
        return weir_fail(err, WEIR_REJECT, "'%.*s' %s",
                         (int)(size < 60 ? size : 60), name, refusal);
    name[size] = '\0';
    return find_handle(target, name, ret_topic, err);
}

enum weir_status kafka_target_key(struct kafka_target *target,
                                  const struct weir_message *msg,
                                  struct weir_bytes *ret_key)
{
    struct buffer *const text = &target->key_text;
    const char *absent;
    size_t size;

    if (!target->key) {
        *ret_key = weir_message_key(msg);
        return WEIR_OK;
    }
    buffer_clear(text);
    size = message_text_render(target->key, msg, text->data, text->capacity,
                               &absent);
    if (size > text->capacity) {
        if (!buffer_reserve(text, size))
            return WEIR_RETRY;
        (void)message_text_render(target->key, msg, text->data, size, &absent);
    }
    *ret_key = (struct weir_bytes){size > 0 ? text->data : NULL, size};
    return WEIR_OK;
}
