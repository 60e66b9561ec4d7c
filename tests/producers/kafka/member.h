/*
 * member.h - a Kafka producer with its settings, as the broker tests drive it.
 */
#ifndef WEIR_TEST_MEMBER_H
#define WEIR_TEST_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "fake_intake.h"
#include "test_settings.h"

struct member {
    struct weir_settings *settings;
    struct weir_share *share;
    struct weir_intake intake;
    char topic[80], group[80];
    const char *address;
    bool is_open;
};

/* Of a new group, unless it is to join that of `other`.  Not open yet. */
struct member *member_create(const char *address, const struct member *other);
void member_destroy(struct member *member); /* closes it first */

/* A new topic, which it reads. */
void member_make_topic(struct member *member, int partitions);

void member_open(struct member *member);
void member_close(struct member *member);

/* Settles all, drains until WEIR_DONE, closes. */
void member_finish(struct member *member);

/* Pulls without taking anything, until `count` epochs began in all. */
void member_join(struct member *member, unsigned count);

/* What its group committed. */
int64_t member_committed(const struct member *member, int32_t partition);

#endif
