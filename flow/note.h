/*
 * note.h - a short text that one thread writes and others read.
 */
#ifndef WEIR_FLOW_NOTE_H
#define WEIR_FLOW_NOTE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { NOTE_WORDS = 15, NOTE_SIZE = 8 * NOTE_WORDS };

/* No lock, since it is in every chunk: a reader that meets its writer may see
 * the beginning of one text and the end of another.  Zeroed is empty. */
struct note {
    _Atomic uint64_t words[NOTE_WORDS];
};

/* Cut off when too long.  One thread at a time. */
static inline void note_write(struct note *note, const char *text)
{
    char out[NOTE_SIZE] = "";
    uint64_t word;

    memcpy(out, text, strnlen(text, NOTE_SIZE - 1));
    for (size_t i = 0; i < NOTE_WORDS; i++) {
        memcpy(&word, out + 8 * i, sizeof word);
        atomic_store_explicit(&note->words[i], word, memory_order_relaxed);
    }
}

static inline void note_copy(struct note *note, const struct note *from)
{
    for (size_t i = 0; i < NOTE_WORDS; i++)
        atomic_store_explicit(
            &note->words[i],
            atomic_load_explicit(&from->words[i], memory_order_relaxed),
            memory_order_relaxed);
}

static inline void note_read(const struct note *note, char out[NOTE_SIZE])
{
    for (size_t i = 0; i < NOTE_WORDS; i++) {
        const uint64_t word =
            atomic_load_explicit(&note->words[i], memory_order_relaxed);

        memcpy(out + 8 * i, &word, sizeof word);
    }
    out[NOTE_SIZE - 1] = '\0';
}

#endif
