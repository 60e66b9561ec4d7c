/*
 * journal_image.h - what is in the file of a journal.
 *
 * The last process may have been of another version, or another program, or
 * have died in the middle of a store: nothing in here is believed.
 */
#ifndef WEIR_PROCESSORS_JOURNAL_IMAGE_H
#define WEIR_PROCESSORS_JOURNAL_IMAGE_H

#include <stdatomic.h>
#include <stdint.h>

#include <weir/status.h>

#include "journal.h"

enum { JOURNAL_ENTRIES = 4096, JOURNAL_NAME_SIZE = 208 };

struct journal_entry {
    uint64_t id; /* 0: free */
    uint32_t crashes, age;
};

struct journal_place {
    _Atomic uint32_t count; /* 0: not in native code */
    uint32_t reserved;
    _Atomic uint64_t ids[JOURNAL_AT_ONCE];
    uint64_t padding[7]; /* places share no cache line */
};

struct journal_image {
    char magic[8];
    char pipeline[JOURNAL_NAME_SIZE];
    _Atomic uint32_t crashed; /* 1 + the signal's number, 1: by exit() */
    _Atomic uint32_t alone;   /* 1 + the place that is isolated */
    uint32_t age;             /* rises with each entry */
    uint32_t reserved[9];
    struct journal_entry entries[JOURNAL_ENTRIES];
    struct journal_place places[JOURNAL_PLACES];
};

/* A new one becomes the pipeline's; WEIR_REJECT: it is another's, or none of
 * this version. */
WEIR_MUST_USE
enum weir_status journal_image_own(struct journal_image *image,
                                   const char *pipeline, const char *path,
                                   struct weir_error *err);

/*
 * From what the last process left: who was in a place is in an entry now, who
 * was there alone has one crash more, and the places are empty.  The entries in
 * use are the first; returns how many.
 */
unsigned journal_image_accuse(struct journal_image *image);

/* NULL: none of the first `count`. */
struct journal_entry *journal_image_find(struct journal_image *image,
                                         unsigned count, uint64_t id);

#endif
