/*
 * comparison.c - a queue's own arguments, learnt from what a declare differs
 * in.
 *
 * AMQP has no question for them, but RabbitMQ says of a declare that differs
 * from an existing queue in what it does, one argument at a time:
 *
 *     declare of a type that doesn't exist
 *         --> inequivalent arg 'x-dead-letter-exchange' ...: received none but
 *             current is the value 'dlx' of type 'longstr'
 *     the same, with that argument
 *         --> inequivalent arg 'x-queue-type' ...: current is 'quorum'
 *
 * The type comes behind the dead-letter exchange in that order, and then it is
 * over.  Nothing can be made by it: where the queue is gone meanwhile, a type
 * that doesn't exist is refused.
 *
 * Threads: the one that asks.
 */
#include "comparison.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS_MAX = 12 };

#define NO_TYPE   "weir-asks"
#define TYPE_NAME "x-queue-type"

/* What the next declare says. */
struct draft {
    bool is_durable, is_auto_delete;
    struct comparison_difference list[ARGUMENTS_MAX]; /* learnt */
    size_t count;
};

/* From `from` to `end` (the last one), into `out`; false: no end, no room. */
static bool copy_until(const char *from, const char *end, char *out,
                       size_t size)
{
    const char *found = NULL;

    for (const char *at = strstr(from, end); at; at = strstr(at + 1, end))
        found = at;
    if (!found || (size_t)(found - from) >= size)
        return false;
    memcpy(out, from, (size_t)(found - from));
    out[found - from] = '\0';
    return true;
}

bool comparison_read(const char *text, struct comparison_difference *ret)
{
    static const char head[] = "inequivalent arg '", none[] = " is none";
    static const char current[] = "but current is the value '";
    static const char flag[] = "but current is '", kind[] = "' of type '";
    const char *name = strstr(text, head);
    const char *value = strstr(text, current);
    const char *type;
    size_t size;

    *ret = (struct comparison_difference){.name = ""};
    if (!name)
        return false;
    name += strlen(head);
    size = strcspn(name, "'");
    if (size >= sizeof ret->name)
        return false;
    memcpy(ret->name, name, size);
    if (!value) {
        value = strstr(text, flag);
        return value ? copy_until(value + strlen(flag), "'", ret->value,
                                  sizeof ret->value)
                     : strstr(text, none) != NULL;
    }
    value += strlen(current);
    if (!copy_until(value, kind, ret->value, sizeof ret->value))
        return false;
    type = value + strlen(ret->value) + strlen(kind);
    return copy_until(type, "'", ret->type, sizeof ret->type);
}

static amqp_field_value_t value_of(const struct comparison_difference *argument)
{
    if (strcmp(argument->type, "longstr") == 0)
        return (amqp_field_value_t){
            .kind = AMQP_FIELD_KIND_UTF8,
            .value = {.bytes = amqp_cstring_bytes(argument->value)}};
    if (strcmp(argument->type, "bool") == 0)
        return (amqp_field_value_t){
            .kind = AMQP_FIELD_KIND_BOOLEAN,
            .value = {.boolean = strcmp(argument->value, "true") == 0}};
    return (amqp_field_value_t){
        .kind = AMQP_FIELD_KIND_I64,
        .value = {.i64 = strtoll(argument->value, NULL, 10)}};
}

static struct amqp_answer say(struct amqp_inquiry *inquiry, const char *queue,
                              const struct draft *draft)
{
    amqp_table_entry_t entries[ARGUMENTS_MAX + 1] = {
        {.key = amqp_cstring_bytes(TYPE_NAME),
         .value = {.kind = AMQP_FIELD_KIND_UTF8,
                   .value = {.bytes = amqp_cstring_bytes(NO_TYPE)}}}};
    const amqp_table_t arguments = {.num_entries = (int)draft->count + 1,
                                    .entries = entries};

    for (size_t i = 0; i < draft->count; i++) {
        entries[i + 1].key = amqp_cstring_bytes(draft->list[i].name);
        entries[i + 1].value = value_of(&draft->list[i]);
    }
    if (inquiry->link.connection)
        (void)amqp_queue_declare(inquiry->link.connection, AMQP_LINK_CHANNEL,
                                 amqp_cstring_bytes(queue), 0,
                                 draft->is_durable, 0, draft->is_auto_delete,
                                 arguments);
    return amqp_inquiry_answer(inquiry);
}

/* False: there is nothing more to be learnt. */
static bool learn(struct draft *draft, struct comparison *comparison,
                  const struct comparison_difference *difference)
{
    const char *name = difference->name;

    if (strcmp(name, TYPE_NAME) == 0) {
        (void)snprintf(comparison->type, sizeof comparison->type, "%.15s",
                       difference->value[0] ? difference->value : "classic");
        return false;
    }
    if (strcmp(name, "durable") == 0 && draft->is_durable) {
        draft->is_durable = false;
        return true;
    }
    if (strcmp(name, "auto_delete") == 0 && !draft->is_auto_delete) {
        draft->is_auto_delete = true;
        return true;
    }
    if (!difference->type[0] || draft->count == ARGUMENTS_MAX)
        return false;
    if (strcmp(name, "x-dead-letter-exchange") == 0) {
        comparison->has_dead_letter_exchange = true;
        memcpy(comparison->dead_letter_exchange, difference->value,
               sizeof comparison->dead_letter_exchange);
    }
    draft->list[draft->count++] = *difference;
    return true;
}

bool comparison_ask(struct amqp_inquiry *inquiry, const char *queue,
                    struct comparison *ret_comparison)
{
    struct draft draft = {.is_durable = true};
    struct comparison_difference difference;
    struct amqp_answer answer;

    *ret_comparison = (struct comparison){.type = ""};
    do
        answer = say(inquiry, queue, &draft);
    while (answer.code == 406 && comparison_read(answer.text, &difference) &&
           learn(&draft, ret_comparison, &difference));
    return answer.code != 403;
}
