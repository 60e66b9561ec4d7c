/*
 * journal_fuzz.c - anything as the file that the last process left.
 *
 * What a journal of ours has, or nothing but zeros, is overwritten in some
 * places, and read.  Then nobody is accused twice, and reading it again finds
 * nothing new.
 *
 *     first byte:  bit 0  begins with a journal that was in use
 *     then:        where (4 bytes), what (8 bytes), ...
 */
#include "target.h"

#include <stdlib.h>
#include <string.h>

#include "invariant.h"
#include "journal_image.h"
#include "log.h"

enum { EDIT_SIZE = 12, FEW = 64 };

static void quiet(void *opaque, enum weir_log_level level, const char *text)
{
    (void)opaque;
    (void)level;
    (void)text;
}

/* As a process of ours left it that went down with three messages. */
static void begin_used(struct journal_image *image)
{
    memcpy(image->magic, "WEIRJNL2", sizeof image->magic);
    memcpy(image->pipeline, "orders", sizeof "orders");
    image->age = 3;
    image->crashed = 12;
    image->alone = 2;
    image->entries[0] = (struct journal_entry){.id = 7, .crashes = 2, .age = 1};
    image->entries[2] = (struct journal_entry){.id = 8, .crashes = 3, .age = 2};
    image->places[1].count = 1;
    image->places[1].ids[0] = 7;
    image->places[9].count = 2;
    image->places[9].ids[0] = 9;
    image->places[9].ids[1] = 10;
}

static void overwrite(struct journal_image *image, const uint8_t *data,
                      size_t size)
{
    for (; size >= EDIT_SIZE; data += EDIT_SIZE, size -= EDIT_SIZE) {
        uint32_t where;

        memcpy(&where, data, sizeof where);
        memcpy((char *)image + where % (sizeof *image - 7), data + 4, 8);
    }
}

static void check_left(const struct journal_image *image)
{
    INVARIANT(image->crashed == 0 && image->alone == 0);
    for (unsigned i = 0; i < JOURNAL_PLACES; i++)
        INVARIANT(image->places[i].count == 0);
}

static void check_entries(struct journal_image *image, unsigned count)
{
    INVARIANT(count <= JOURNAL_ENTRIES);
    for (unsigned i = 0; i < JOURNAL_ENTRIES; i++)
        INVARIANT((image->entries[i].id != 0) == (i < count));
    for (unsigned i = 0; i < count && i < FEW; i++)
        INVARIANT(journal_image_find(image, count, image->entries[i].id) ==
                  &image->entries[i]);
}

/* A new image costs more than reading it: only what was in use is cleared. */
static void clear(struct journal_image *image, const uint8_t *data, size_t size)
{
    static const uint8_t zeros[8];

    for (; size >= EDIT_SIZE; data += EDIT_SIZE, size -= EDIT_SIZE) {
        uint32_t where;

        memcpy(&where, data, sizeof where);
        memcpy((char *)image + where % (sizeof *image - 7), zeros, 8);
    }
    memset(image, 0, offsetof(struct journal_image, places[10]));
}

static void look(struct journal_image *image)
{
    struct weir_error err = {0};
    const enum weir_status status =
        journal_image_own(image, "orders", "journal", &err);
    unsigned count;

    INVARIANT((status == WEIR_OK) == (err.text[0] == '\0'));
    if (status != WEIR_OK)
        return;
    count = journal_image_accuse(image);
    check_left(image);
    check_entries(image, count);
    INVARIANT(journal_image_accuse(image) == count);
    check_entries(image, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct journal_image *image;

    if (!image)
        image = calloc(1, sizeof *image);
    INVARIANT(image);
    log_set_callback(quiet, NULL);
    if (size > 0 && (data[0] & 1))
        begin_used(image);
    if (size > 0)
        overwrite(image, data + 1, size - 1);
    look(image);
    if (size > 0)
        clear(image, data + 1, size - 1);
    return 0;
}
