/*
 * lanes.c - payloads "lane:number", and whether they came in their order.
 */
#include "lanes.h"

#include <stdio.h>

#include "test.h"

struct place place_of(const struct weir_message *msg)
{
    const struct weir_bytes payload = weir_message_payload(msg);
    struct place place = {0};

    assert_int_equal(sscanf(payload.data, "%u:%u", &place.lane, &place.number),
                     2); /* a NUL is behind every payload */
    return place;
}

bool place_is(const struct weir_message *msg, unsigned lane, unsigned number)
{
    const struct place place = place_of(msg);

    return place.lane == lane && place.number == number;
}

static struct place collected_place(struct collection *collection, size_t i)
{
    struct place place = {0};

    assert_int_equal(sscanf(collection_get(collection, i)->payload, "%u:%u",
                            &place.lane, &place.number),
                     2);
    return place;
}

unsigned times_delivered(struct collection *collection, unsigned lane,
                         unsigned number)
{
    unsigned times = 0;

    for (size_t i = 0; i < collection_count(collection); i++) {
        const struct place place = collected_place(collection, i);

        times += place.lane == lane && place.number == number;
    }
    return times;
}

long first_delivered(struct collection *collection, unsigned lane,
                     unsigned number)
{
    for (size_t i = 0; i < collection_count(collection); i++) {
        const struct place place = collected_place(collection, i);

        if (place.lane == lane && place.number == number)
            return (long)i;
    }
    return -1;
}

long last_delivered(struct collection *collection, unsigned lane,
                    unsigned number)
{
    for (size_t i = collection_count(collection); i > 0; i--) {
        const struct place place = collected_place(collection, i - 1);

        if (place.lane == lane && place.number == number)
            return (long)(i - 1);
    }
    return -1;
}

unsigned count_delivered(struct collection *collection, unsigned lane)
{
    unsigned count = 0;

    for (size_t i = 0; i < collection_count(collection); i++)
        count += collected_place(collection, i).lane == lane;
    return count;
}

void assert_in_order(struct collection *collection, unsigned lanes,
                     unsigned count)
{
    unsigned next[64] = {0};

    assert_true(lanes <= 64);
    for (size_t i = 0; i < collection_count(collection); i++) {
        const struct place place = collected_place(collection, i);

        assert_true(place.lane < lanes);
        assert_int_equal(place.number, next[place.lane]);
        next[place.lane]++;
    }
    for (unsigned lane = 0; lane < lanes; lane++)
        assert_int_equal(next[lane], count);
}

void assert_in_order_at_last(struct collection *collection, unsigned lanes,
                             unsigned count)
{
    for (unsigned lane = 0; lane < lanes; lane++) {
        long before = -1;

        for (unsigned number = 0; number < count; number++) {
            const long at = last_delivered(collection, lane, number);

            assert_true(at > before);
            before = at;
        }
    }
}
