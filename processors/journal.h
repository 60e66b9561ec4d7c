/*
 * journal.h - which messages were in native code when the process went down.
 *
 * One file in a folder that outlives the process.  It makes a message that
 * takes the process down, and so comes back for ever, end by the failure
 * policy.
 */
#ifndef WEIR_PROCESSORS_JOURNAL_H
#define WEIR_PROCESSORS_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/status.h>

struct journal;
struct weir_message;

struct journal_config {
    const char *folder;   /* made if its parent is there */
    const char *pipeline; /* whose it is */
    unsigned max_crashes; /* while alone, then condemned */
};

enum {
    JOURNAL_PLACES = 2048, /* of workers; one with large batches has several */
    JOURNAL_AT_ONCE = 64   /* messages of a place in native code */
};

/* What a message was in; it is judged for each of them alone. */
enum journal_callback {
    JOURNAL_MESSAGE = 0, /* prepare_messages() and handle_message() */
    JOURNAL_BATCH,
    JOURNAL_LETTER, /* handle_batch() of the batcher `dead_letter` */
    JOURNAL_FAILED
};

enum journal_verdict {
    JOURNAL_INNOCENT = 0,
    JOURNAL_SUSPECT,  /* handle it alone */
    JOURNAL_CONDEMNED /* it must not be handled any more */
};

/*
 * Opens or makes it, locks it against other processes, and finds out from what
 * the last one left who is suspected.  WEIR_REJECT: it can't be used, and `err`
 * says what to do; WEIR_RETRY: no memory.
 */
WEIR_MUST_USE
enum weir_status journal_open(const struct journal_config *config,
                              struct journal **ret_journal,
                              struct weir_error *err);
void journal_close(struct journal *journal); /* NULL is fine */

/*
 * A worker's thread, before its first message: if it goes down, journal_crash()
 * finds the journal.  `place` is its first.  WEIR_RETRY: no memory.
 */
WEIR_MUST_USE
enum weir_status journal_attach(struct journal *journal, unsigned place);
void journal_detach(struct journal *journal, unsigned place);

/* The same for each delivery of a message, and never 0. */
uint64_t journal_identity(const struct weir_message *msg,
                          enum journal_callback callback);

/* The worker begins `id`, number `index` of those that it has in native code at
 * once; and leaves native code with all that it had in `count` places. */
void journal_enter(struct journal *journal, unsigned place, unsigned index,
                   uint64_t id);
void journal_leave(struct journal *journal, unsigned place, unsigned count);

/* Whether anyone has to be handled alone, or not at all; most runs have nobody.
 */
bool journal_has_suspects(const struct journal *journal);
bool journal_has_condemned(const struct journal *journal);

/* `ret_crashes` is written for the condemned. */
enum journal_verdict journal_judge(struct journal *journal, uint64_t id,
                                   unsigned *ret_crashes);

/* Around native code, while there are suspects.  A suspect is isolated:
 * nobody else is in there; having come back, it is none any more. */
void journal_share(struct journal *journal);
void journal_unshare(struct journal *journal);
void journal_isolate(struct journal *journal, unsigned place);
void journal_acquit(struct journal *journal, uint64_t id);

/* From a fatal signal's handler, or an exit hook, on the thread that goes down.
 * Does nothing on a thread that is no worker. */
void journal_crash(int signal_number);

#endif
