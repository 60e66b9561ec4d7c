/*
 * journal_image.c - what is in the file of a journal.
 *
 *     [ head | entries: suspects and condemned ... | place per worker ... ]
 *
 *     crash:  head.crashed, set by the dying thread (SIGKILL can't)
 *     start:  who was in a place is a suspect: an entry
 *             who was there alone (head.alone) has one crash more
 *
 * Only a crash while alone counts, because memory that one message overwrote
 * may bring another one down.
 *
 * Invariants, after journal_image_accuse(): an identity is in one entry, and
 * never 0; the entries in use are the first ones.  When there is no room the
 * oldest goes.
 *
 * Threads: one, before the workers'.
 */
#include "journal_image.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

static const char magic[8] = {'W', 'E', 'I', 'R', 'J', 'N', 'L', '2'};

enum weir_status journal_image_own(struct journal_image *image,
                                   const char *pipeline, const char *path,
                                   struct weir_error *err)
{
    char name[JOURNAL_NAME_SIZE] = "";

    (void)snprintf(name, sizeof name, "%s", pipeline);
    if (image->magic[0] == '\0') {
        memcpy(image->pipeline, name, sizeof name);
        memcpy(image->magic, magic, sizeof magic);
        return WEIR_OK;
    }
    if (memcmp(image->magic, magic, sizeof magic) != 0 ||
        memchr(image->pipeline, '\0', JOURNAL_NAME_SIZE) == NULL)
        return weir_fail(err, WEIR_REJECT,
                         "state: %s is no journal of this version: move it "
                         "away",
                         path);
    if (strcmp(image->pipeline, name) != 0)
        return weir_fail(err, WEIR_REJECT,
                         "state: %s belongs to the pipeline '%s', not to '%s': "
                         "each needs a folder of its own",
                         path, image->pipeline, name);
    return WEIR_OK;
}

struct journal_entry *journal_image_find(struct journal_image *image,
                                         unsigned count, uint64_t id)
{
    for (unsigned i = 0; i < count; i++) {
        if (image->entries[i].id == id)
            return &image->entries[i];
    }
    return NULL;
}

/* What is in there once, in its order, from the first entry on. */
static unsigned join_entries(struct journal_image *image)
{
    unsigned count = 0;

    for (unsigned i = 0; i < JOURNAL_ENTRIES; i++) {
        const struct journal_entry entry = image->entries[i];

        image->entries[i] = (struct journal_entry){.id = 0};
        if (entry.id != 0 && !journal_image_find(image, count, entry.id))
            image->entries[count++] = entry;
    }
    return count;
}

static struct journal_entry *oldest(struct journal_image *image)
{
    struct journal_entry *found = &image->entries[0];

    for (unsigned i = 1; i < JOURNAL_ENTRIES; i++) {
        if (image->entries[i].age < found->age)
            found = &image->entries[i];
    }
    return found;
}

static void suspect(struct journal_image *image, unsigned *count, uint64_t id,
                    bool was_alone)
{
    struct journal_entry *entry = journal_image_find(image, *count, id);

    if (id == 0)
        return;
    if (!entry) {
        entry = *count < JOURNAL_ENTRIES ? &image->entries[(*count)++]
                                         : oldest(image);
        *entry = (struct journal_entry){.id = id, .age = ++image->age};
    }
    if (was_alone && entry->crashes < UINT32_MAX)
        entry->crashes++;
}

/* How many were in native code. */
static unsigned accuse(struct journal_image *image, unsigned *count)
{
    const uint32_t alone = atomic_load(&image->alone);
    unsigned found = 0;

    for (unsigned i = 0; i < JOURNAL_PLACES; i++) {
        struct journal_place *place = &image->places[i];
        const uint32_t here = atomic_load(&place->count);

        for (unsigned k = 0; k < here && k < JOURNAL_AT_ONCE; k++) {
            suspect(image, count, atomic_load(&place->ids[k]),
                    alone == i + 1 && here == 1);
            found++;
        }
    }
    return found;
}

static void clear(struct journal_image *image)
{
    for (unsigned i = 0; i < JOURNAL_PLACES; i++) {
        if (atomic_load(&image->places[i].count) > 0)
            atomic_store(&image->places[i].count, 0);
    }
    atomic_store(&image->alone, 0);
    atomic_store(&image->crashed, 0);
}

static const char *cause(uint32_t crashed)
{
    if (crashed == 1)
        return "exit()";
    return crashed - 1 <= (uint32_t)SIGRTMAX ? strsignal((int)crashed - 1)
                                             : "a signal";
}

unsigned journal_image_accuse(struct journal_image *image)
{
    const uint32_t crashed = atomic_load(&image->crashed);
    unsigned count = join_entries(image);

    if (crashed > 0) {
        const unsigned found = accuse(image, &count);

        log_write(WEIR_LOG_WARNING,
                  "the last run ended by %s with %u messages in native code; "
                  "they are handled alone now",
                  cause(crashed), found);
    }
    clear(image);
    return count;
}
