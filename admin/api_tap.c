/*
 * api_tap.c - /api/v1/tap: a sample of the messages that end.
 *
 *     GET ?rate=10&outcomes=rejected,retried     begins; answers with a number
 *     GET ?rate=10&outcomes=...&tap=NUMBER       what came since
 *
 * Nothing is kept open between two requests: whoever stops asking has ended it.
 * A number that isn't known (it ended, or weir was started anew) begins again.
 *
 * What was in a message is not for everybody who may read counters: keys and
 * payloads are shown with the token only, and cut off.
 *
 * Threads: the admin's.
 */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "base64.h"
#include "sample.h"

enum { RATE = 10, NUMBER_DIGITS = 15 };

struct wish {
    struct sample_wish sample;
    uint64_t id; /* 0: begin */
};

/* ---- what is asked for ---- */

/* False: it is none, or larger than `max`. */
static bool read_number(const char *text, uint64_t max, uint64_t *ret_number)
{
    const size_t size = text ? strlen(text) : 0;
    uint64_t number;

    if (size == 0 || size > NUMBER_DIGITS || strspn(text, "0123456789") != size)
        return false;
    number = strtoull(text, NULL, 10);
    *ret_number = number;
    return number <= max;
}

/* False: one of them is none. */
static bool read_outcomes(const char *text, unsigned *ret_outcomes)
{
    unsigned outcomes = 0;

    while (text) {
        const size_t size = strcspn(text, ",");
        const unsigned outcome = sample_outcome(text, size);

        if (outcome == 0)
            return false;
        outcomes |= outcome;
        text = text[size] == ',' ? text + size + 1 : NULL;
    }
    *ret_outcomes = outcomes;
    return outcomes != 0;
}

/* NULL, or what is wrong. */
static const char *read_argument(const struct call_argument *argument,
                                 struct wish *wish)
{
    uint64_t rate = 0;

    if (strcmp(argument->name, "rate") == 0) {
        if (!read_number(argument->value, SAMPLE_RATE_MAX, &rate) || rate == 0)
            return "rate is a number of messages a second, 1 to 1000";
        wish->sample.rate = (uint32_t)rate;
    } else if (strcmp(argument->name, "outcomes") == 0) {
        if (!read_outcomes(argument->value, &wish->sample.outcomes))
            return "outcomes are some of done, retried, rejected, "
                   "dead_lettered, requeued and abandoned, with commas";
    } else if (strcmp(argument->name, "payload") == 0) {
        if (!argument->value || strcmp(argument->value, "true") != 0)
            return "payload is true, or not there";
        wish->sample.has_payload = true;
    } else if (strcmp(argument->name, "tap") == 0) {
        if (!read_number(argument->value, UINT64_MAX, &wish->id))
            return "tap is the number that an earlier answer has";
    } else {
        return "it takes rate, outcomes, payload and tap, and nothing else";
    }
    return NULL;
}

/* False: it was answered. */
static bool read_wish(const struct request *request, struct wish *wish,
                      struct answer *answer)
{
    const char *wrong = NULL;

    if (request->argument_count > CALL_ARGUMENTS)
        wrong = "too many arguments";
    for (size_t i = 0; !wrong && i < request->argument_count; i++)
        wrong = read_argument(&request->arguments[i], wish);
    if (wrong)
        answer_error(answer, 400, "%s", wrong);
    return !wrong;
}

/* ---- what is answered ---- */

static void set(json_t *object, const char *name, json_t *value)
{
    (void)json_object_set_new(object, name, value);
}

static void set_text(json_t *object, const char *name, const char *text)
{
    set(object, name, text && text[0] ? plain_json(text) : json_null());
}

/* How many bytes a character of UTF-8 has that begins so. */
static size_t character(unsigned char lead)
{
    if (lead < 0xC0)
        return 1;
    return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/* Without the part of a character that was cut through. */
static size_t whole(const struct sample_bytes *bytes)
{
    size_t last = bytes->kept;

    if (bytes->kept == bytes->size || bytes->kept == 0)
        return bytes->kept;
    do
        last--;
    while (last > 0 && bytes->kept - last < 4 &&
           ((unsigned char)bytes->data[last] & 0xC0) == 0x80);
    return last + character((unsigned char)bytes->data[last]) > bytes->kept
               ? last
               : bytes->kept;
}

static json_t *base64_of(const struct sample_bytes *bytes)
{
    const size_t size = base64_size(bytes->kept);
    char *text = malloc(size + 1);
    json_t *json = NULL;

    if (text) {
        base64_write(text, bytes->data, bytes->kept);
        json = json_stringn(text, size);
    }
    free(text);
    return json;
}

/* "name", or "name_base64" where it isn't text. */
static void set_bytes(json_t *object, const char *name, const char *name_base64,
                      const struct sample_bytes *bytes)
{
    json_t *text = NULL;

    if (!bytes->data) {
        set(object, name, json_null());
        return;
    }
    if (!memchr(bytes->data, '\0', bytes->kept))
        text = json_stringn(bytes->data, whole(bytes)); /* which checks it */
    if (text)
        set(object, name, text);
    else
        set(object, name_base64, base64_of(bytes));
}

static json_t *message_of(const struct sampled *sampled, bool has_payload)
{
    json_t *object = json_object();

    set(object, "at_ms", json_integer(sampled->wall_ms));
    set(object, "outcome", json_string(sampled->outcome));
    set_text(object, "code", sampled->code);
    set_text(object, "reason", sampled->reason);
    set_text(object, "name", sampled->name);
    set(object, "partition",
        sampled->partition < 0 ? json_null()
                               : json_integer(sampled->partition));
    set(object, "position", json_integer(sampled->position));
    set_text(object, "batcher", sampled->batcher);
    set(object, "attempts", json_integer(sampled->attempts));
    set(object, "deliveries", json_integer(sampled->deliveries));
    set(object, "latency_us", json_integer(sampled->latency_us));
    set(object, "size", json_integer((json_int_t)sampled->size));
    if (!has_payload)
        return object;
    set_bytes(object, "key", "key_base64", &sampled->key);
    set_bytes(object, "payload", "payload_base64", &sampled->payload);
    set(object, "is_cut",
        json_boolean(sampled->key.kept < sampled->key.size ||
                     sampled->payload.kept < sampled->payload.size));
    return object;
}

static json_t *take(const struct site *site, uint64_t id,
                    const struct sample_wish *wish)
{
    struct sampled *sampled = calloc(SAMPLE_MAX, sizeof *sampled);
    json_t *list = json_array();
    uint64_t left_out = 0;
    size_t count = 0;

    if (sampled)
        count = pipeline_sample_take(site->config->pipeline, id, sampled,
                                     &left_out);
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(list,
                                    message_of(&sampled[i], wish->has_payload));
    free(sampled);
    return json_pack("{s:I, s:o, s:I, s:o}", "tap", (json_int_t)id, "pipeline",
                     plain_json(site->config->topology->name), "left_out",
                     (json_int_t)left_out, "messages", list);
}

void page_tap(const struct site *site, const struct request *request,
              struct answer *answer)
{
    struct wish wish = {
        .sample = {.outcomes = sample_all_outcomes(), .rate = RATE}};
    enum weir_status status;

    if (!read_wish(request, &wish, answer) ||
        (wish.sample.has_payload &&
         !has_token(site, request, "keys and payloads are", answer)))
        return;
    status = pipeline_sample_ask(site->config->pipeline, wish.id, &wish.sample,
                                 &wish.id);
    if (status == WEIR_AGAIN)
        answer_error(answer, 503,
                     "so many others sample now that there is no place left");
    else if (status == WEIR_OK)
        answer_json(answer, 200, take(site, wish.id, &wish.sample));
}
