/*
 * kafka_parcel.c - the batches that a writer has, message by message.
 *
 *     head                                    tail
 *     [over over away away] -> [away here here here]
 *                                    ^ next to be sent
 *
 * Reports come back in the order of a partition, not of a batch, so neighbours
 * are collected: one outcome for a run of messages is what the runtime is made
 * for.  A letter that came back undelivered is here again, and is sent before
 * everything behind it.
 *
 * Invariants: a letter is here, away or over; only the last has an outcome, or
 * gets it with the run; a parcel is in the list as long as one of its messages
 * has none, and its batch isn't touched after that.
 *
 * Threads: the writer's.
 */
#include "kafka_parcel.h"

#include <stdlib.h>

#include "invariant.h"

static struct kafka_parcel *take_spare(struct kafka_parcels *parcels,
                                       uint32_t count)
{
    struct kafka_parcel *parcel = parcels->spare;

    if (parcel)
        parcels->spare = parcel->next;
    if (parcel && parcel->capacity >= count)
        return parcel;
    free(parcel);
    parcel = malloc(sizeof *parcel + count * sizeof parcel->letters[0]);
    if (parcel)
        parcel->capacity = count;
    return parcel;
}

enum weir_status kafka_parcels_add(struct kafka_parcels *parcels,
                                   struct weir_batch *batch)
{
    const uint32_t count = (uint32_t)weir_batch_count(batch);
    struct kafka_parcel *parcel = take_spare(parcels, count);

    if (!parcel)
        return WEIR_RETRY;
    parcel->next = NULL;
    parcel->batch = batch;
    parcel->count = parcel->open = parcel->here = count;
    parcel->next_index = 0;
    for (uint32_t i = 0; i < count; i++)
        parcel->letters[i] =
            (struct kafka_letter){.parcel = parcel, .index = i};
    if (parcels->tail)
        parcels->tail->next = parcel;
    else
        parcels->head = parcel;
    parcels->tail = parcel;
    parcels->here += count;
    return WEIR_OK;
}

struct kafka_letter *kafka_parcels_next(const struct kafka_parcels *parcels)
{
    struct kafka_parcel *parcel = parcels->head;

    if (parcels->here == 0)
        return NULL;
    while (parcel->here == 0)
        parcel = parcel->next;
    while (parcel->letters[parcel->next_index].state != KAFKA_LETTER_HERE)
        parcel->next_index++;
    return &parcel->letters[parcel->next_index];
}

void kafka_parcels_sent(struct kafka_parcels *parcels,
                        struct kafka_letter *letter)
{
    INVARIANT(letter->state == KAFKA_LETTER_HERE);
    letter->state = KAFKA_LETTER_AWAY;
    letter->parcel->here--;
    parcels->here--;
}

void kafka_parcels_returned(struct kafka_parcels *parcels,
                            struct kafka_letter *letter)
{
    struct kafka_parcel *parcel = letter->parcel;

    INVARIANT(letter->state == KAFKA_LETTER_AWAY);
    letter->state = KAFKA_LETTER_HERE;
    parcel->here++;
    parcels->here++;
    if (letter->index < parcel->next_index)
        parcel->next_index = letter->index;
}

static void remove_parcel(struct kafka_parcels *parcels,
                          struct kafka_parcel *parcel)
{
    struct kafka_parcel **at = &parcels->head, *before = NULL;

    while (*at != parcel) {
        before = *at;
        at = &before->next;
    }
    *at = parcel->next;
    if (parcels->tail == parcel)
        parcels->tail = before;
    parcel->next = parcels->spare;
    parcels->spare = parcel;
}

/* The batch may be gone afterwards. */
static void set_outcome(struct kafka_parcels *parcels,
                        struct kafka_parcel *parcel, uint32_t first,
                        uint32_t count, const char *rejected)
{
    struct weir_batch *batch = parcel->batch;

    parcel->open -= count;
    parcels->settled += count;
    if (parcel->open == 0)
        remove_parcel(parcels, parcel);
    weir_batch_set_outcome(batch, first, count,
                           rejected ? WEIR_REJECT : WEIR_OK, rejected);
}

static void end_letter(struct kafka_parcels *parcels,
                       struct kafka_letter *letter)
{
    INVARIANT(letter->state != KAFKA_LETTER_OVER);
    if (letter->state == KAFKA_LETTER_HERE) {
        letter->parcel->here--;
        parcels->here--;
    }
    letter->state = KAFKA_LETTER_OVER;
}

void kafka_parcels_say(struct kafka_parcels *parcels)
{
    struct kafka_parcel *parcel = parcels->run.parcel;

    parcels->run.parcel = NULL;
    if (parcel)
        set_outcome(parcels, parcel, parcels->run.first, parcels->run.count,
                    NULL);
}

void kafka_parcels_delivered(struct kafka_parcels *parcels,
                             struct kafka_letter *letter)
{
    end_letter(parcels, letter);
    if (parcels->run.parcel == letter->parcel &&
        parcels->run.first + parcels->run.count == letter->index) {
        parcels->run.count++;
        return;
    }
    kafka_parcels_say(parcels);
    parcels->run.parcel = letter->parcel;
    parcels->run.first = letter->index;
    parcels->run.count = 1;
}

void kafka_parcels_reject(struct kafka_parcels *parcels,
                          struct kafka_letter *letter, const char *reason)
{
    kafka_parcels_say(parcels);
    end_letter(parcels, letter);
    set_outcome(parcels, letter->parcel, letter->index, 1, reason);
}

static void free_all(struct kafka_parcel *parcel)
{
    while (parcel) {
        struct kafka_parcel *next = parcel->next;

        free(parcel);
        parcel = next;
    }
}

void kafka_parcels_finish(struct kafka_parcels *parcels)
{
    free_all(parcels->head);
    free_all(parcels->spare);
    *parcels = (struct kafka_parcels){0};
}
