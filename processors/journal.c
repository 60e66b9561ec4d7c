/*
 * journal.c - which messages were in native code when the process went down.
 *
 * The broker delivers a message again that took the process down, and so for
 * ever.  Nothing in memory survives, so what each worker is doing is stored in
 * a file that is mapped: one plain store per message, written back by the
 * kernel also when the process dies.  Nothing is synced: a machine that goes
 * down forgets some suspicion, and no message.
 *
 *     crash:  the dying thread marks the file (SIGKILL can't)
 *     start:  who was in native code is a suspect (journal_image.c)
 *     then:   a suspect is handled with nobody else in native code, and
 *             acquitted when it comes back; with max_crashes it is condemned
 *
 * Who is suspected in one callback is innocent in the others: a message that
 * comes back from handle_message() is not acquitted of what it did in
 * handle_batch(). So an identity is that of a message in a callback.
 *
 * How a signal handler finds the journal without a global: each worker has an
 * alternate signal stack of ours (an overflown stack could not run a handler
 * anyway), and what we need lies at its low end.  Other threads have none, so
 * their end marks nothing.
 *
 * Invariants: an identity is in at most one entry; entries that are condemned
 * stay.  `suspects` counts the others, and does not rise after journal_open();
 * the condemned are as they were then, so they are looked up without a lock.
 *
 * Threads: a place is its worker's; the entries are behind `lock`, the gate is
 * a lock itself.
 */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hash.h"
#include "journal_image.h"
#include "message.h"

enum { STACK_SIZE = 64 * 1024 + 48 /* no one else has such a one */ };

static const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
static const uint64_t other_odd = UINT64_C(0xc2b2ae3d27d4eb4f);
static const uint64_t stack_mark = UINT64_C(0x776569726a6e6c31);

/* At the low end of a worker's alternate signal stack. */
struct stack_head {
    uint64_t mark;
    struct journal *journal;
};

struct worker {
    struct stack_head *stack;
    stack_t before;
};

struct journal {
    int file;
    unsigned max_crashes;
    unsigned entries; /* of journal_open(): fewer are in use later */
    struct journal_image *image;
    pthread_mutex_t lock;
    pthread_rwlock_t gate;
    _Atomic unsigned suspects;
    struct journal_entry condemned[JOURNAL_ENTRIES]; /* likewise all of them */
    unsigned condemned_count;
    struct worker attached[JOURNAL_PLACES];
    char path[4096];
};

/* ---- the file ---- */

static enum weir_status refuse(const struct journal *journal,
                               struct weir_error *err, const char *what)
{
    return weir_fail(err, WEIR_REJECT, "state: %s %s: %s", what, journal->path,
                     strerror(errno));
}

static enum weir_status open_file(struct journal *journal,
                                  const struct journal_config *config,
                                  struct weir_error *err)
{
    (void)snprintf(journal->path, sizeof journal->path, "%s", config->folder);
    if (mkdir(config->folder, 0750) != 0 && errno != EEXIST)
        return refuse(journal, err, "cannot make the folder");
    if (snprintf(journal->path, sizeof journal->path, "%s/journal",
                 config->folder) >= (int)sizeof journal->path)
        return weir_fail(err, WEIR_REJECT, "state: the path is too long");
    journal->file =
        open(journal->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (journal->file < 0)
        return refuse(journal, err, "cannot open");
    if (flock(journal->file, LOCK_EX | LOCK_NB) == 0)
        return WEIR_OK;
    if (errno != EWOULDBLOCK)
        return refuse(journal, err, "cannot lock");
    return weir_fail(err, WEIR_REJECT,
                     "state: %s is in use by another process: each needs a "
                     "folder of its own",
                     journal->path);
}

/* A full disk is met here, and not by a signal in the middle of a store. */
static enum weir_status make_room(const struct journal *journal,
                                  struct weir_error *err)
{
    struct stat info;
    int rc;

    if (fstat(journal->file, &info) != 0)
        return refuse(journal, err, "cannot read");
    if (info.st_size != 0 &&
        info.st_size != (off_t)sizeof(struct journal_image))
        return weir_fail(err, WEIR_REJECT,
                         "state: %s is no journal of this version (%lld "
                         "bytes): move it away",
                         journal->path, (long long)info.st_size);
    rc = posix_fallocate(journal->file, 0, (off_t)sizeof(struct journal_image));
    if (rc == 0)
        return WEIR_OK;
    if (info.st_size == 0)
        (void)ftruncate(journal->file, 0);
    errno = rc;
    return refuse(journal, err, "cannot make room in");
}

static enum weir_status map_file(struct journal *journal, const char *pipeline,
                                 struct weir_error *err)
{
    enum weir_status status = make_room(journal, err);
    void *mapped;

    if (status != WEIR_OK)
        return status;
    mapped = mmap(NULL, sizeof(struct journal_image), PROT_READ | PROT_WRITE,
                  MAP_SHARED, journal->file, 0);
    if (mapped == MAP_FAILED)
        return refuse(journal, err, "cannot map");
    journal->image = mapped;
    return journal_image_own(journal->image, pipeline, journal->path, err);
}

static void init_locks(struct journal *journal)
{
    pthread_rwlockattr_t attributes;

    (void)pthread_mutex_init(&journal->lock, NULL);
    (void)pthread_rwlockattr_init(&attributes);
    /* Else a suspect would wait for ever while the others take turns. */
    (void)pthread_rwlockattr_setkind_np(
        &attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    (void)pthread_rwlock_init(&journal->gate, &attributes);
    (void)pthread_rwlockattr_destroy(&attributes);
}

static void count_entries(struct journal *journal)
{
    for (unsigned i = 0; i < journal->entries; i++) {
        const struct journal_entry *entry = &journal->image->entries[i];

        if (entry->crashes < journal->max_crashes)
            atomic_fetch_add(&journal->suspects, 1);
        else
            journal->condemned[journal->condemned_count++] = *entry;
    }
}

enum weir_status journal_open(const struct journal_config *config,
                              struct journal **ret_journal,
                              struct weir_error *err)
{
    struct journal *journal = calloc(1, sizeof *journal);
    enum weir_status status;

    if (!journal)
        return weir_fail(err, WEIR_RETRY, "out of memory");
    init_locks(journal);
    journal->file = -1;
    journal->max_crashes = config->max_crashes;
    status = open_file(journal, config, err);
    if (status == WEIR_OK)
        status = map_file(journal, config->pipeline, err);
    if (status != WEIR_OK) {
        journal_close(journal);
        return status;
    }
    journal->entries = journal_image_accuse(journal->image);
    count_entries(journal);
    *ret_journal = journal;
    return WEIR_OK;
}

void journal_close(struct journal *journal)
{
    if (!journal)
        return;
    if (journal->image)
        (void)munmap(journal->image, sizeof *journal->image);
    if (journal->file >= 0)
        (void)close(journal->file); /* and with it the lock */
    (void)pthread_rwlock_destroy(&journal->gate);
    (void)pthread_mutex_destroy(&journal->lock);
    free(journal);
}

/* ---- workers ---- */

enum weir_status journal_attach(struct journal *journal, unsigned place)
{
    struct worker *attached = &journal->attached[place];
    struct stack_head *head = calloc(1, STACK_SIZE);
    const stack_t stack = {.ss_sp = head, .ss_size = STACK_SIZE};

    if (!head || sigaltstack(&stack, &attached->before) != 0) {
        free(head);
        return WEIR_RETRY;
    }
    *head = (struct stack_head){.mark = stack_mark, .journal = journal};
    attached->stack = head;
    return WEIR_OK;
}

void journal_detach(struct journal *journal, unsigned place)
{
    struct worker *attached = &journal->attached[place];

    if (!attached->stack)
        return;
    (void)sigaltstack(&attached->before, NULL);
    free(attached->stack);
    attached->stack = NULL;
}

void journal_crash(int signal_number)
{
    const struct stack_head *head;
    stack_t stack;

    if (sigaltstack(NULL, &stack) != 0 || (stack.ss_flags & SS_DISABLE) ||
        stack.ss_size != STACK_SIZE)
        return;
    head = stack.ss_sp;
    if (head->mark == stack_mark)
        atomic_store(&head->journal->image->crashed,
                     1 + (uint32_t)signal_number);
}

static uint64_t mix(struct weir_bytes bytes, uint64_t seed)
{
    return hash_bytes(bytes.data, bytes.data ? bytes.size : 0,
                      seed + !bytes.data);
}

/* Of what is the same in each delivery: a broker adds headers of its own. */
static uint64_t content_identity(const struct weir_message *msg)
{
    static const char *const fields[] = {
        "exchange", "routing_key", "content_type", "correlation_id",
        "reply_to", "timestamp",   "type",         "app_id"};
    const struct weir_bytes name = weir_message_property(msg, "message_id");
    uint64_t id = msg->epoch->origin->hash;

    if (name.data)
        return mix(name, id);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        id = mix(weir_message_property(msg, fields[i]), id);
    return mix(record_payload(msg->record), id);
}

uint64_t journal_identity(const struct weir_message *msg,
                          enum journal_callback callback)
{
    const struct record *record = msg->record;
    uint64_t id;

    /* Times an odd number: two offsets of one partition are never alike. */
    if (record->offset >= 0)
        id = msg->epoch->origin->hash + (uint64_t)record->offset * odd;
    else
        id = content_identity(msg);
    id += (uint64_t)callback * other_odd;
    return id > 0 ? id : 1;
}

void journal_enter(struct journal *journal, unsigned place, unsigned index,
                   uint64_t id)
{
    struct journal_place *at =
        &journal->image->places[place + index / JOURNAL_AT_ONCE];

    atomic_store_explicit(&at->ids[index % JOURNAL_AT_ONCE], id,
                          memory_order_relaxed);
    atomic_store_explicit(&at->count, index % JOURNAL_AT_ONCE + 1,
                          memory_order_relaxed);
}

void journal_leave(struct journal *journal, unsigned place, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        atomic_store_explicit(&journal->image->places[place + i].count, 0,
                              memory_order_relaxed);
}

/* ---- suspects ---- */

bool journal_has_suspects(const struct journal *journal)
{
    return atomic_load_explicit(&journal->suspects, memory_order_relaxed) > 0;
}

bool journal_has_condemned(const struct journal *journal)
{
    return journal->condemned_count > 0;
}

static bool is_suspect(struct journal *journal, uint64_t id)
{
    bool is_known;

    if (!journal_has_suspects(journal))
        return false;
    (void)pthread_mutex_lock(&journal->lock);
    is_known = journal_image_find(journal->image, journal->entries, id) != NULL;
    (void)pthread_mutex_unlock(&journal->lock);
    return is_known;
}

enum journal_verdict journal_judge(struct journal *journal, uint64_t id,
                                   unsigned *ret_crashes)
{
    for (unsigned i = 0; i < journal->condemned_count; i++) {
        if (journal->condemned[i].id == id) {
            *ret_crashes = journal->condemned[i].crashes;
            return JOURNAL_CONDEMNED;
        }
    }
    return is_suspect(journal, id) ? JOURNAL_SUSPECT : JOURNAL_INNOCENT;
}

void journal_share(struct journal *journal)
{
    (void)pthread_rwlock_rdlock(&journal->gate);
}

void journal_unshare(struct journal *journal)
{
    (void)pthread_rwlock_unlock(&journal->gate);
}

void journal_isolate(struct journal *journal, unsigned place)
{
    (void)pthread_rwlock_wrlock(&journal->gate);
    atomic_store(&journal->image->alone, place + 1);
}

void journal_acquit(struct journal *journal, uint64_t id)
{
    struct journal_entry *entry;

    atomic_store(&journal->image->alone, 0);
    (void)pthread_mutex_lock(&journal->lock);
    entry = journal_image_find(journal->image, journal->entries, id);
    if (entry && entry->crashes < journal->max_crashes) {
        *entry = (struct journal_entry){.id = 0};
        atomic_fetch_sub(&journal->suspects, 1);
    }
    (void)pthread_mutex_unlock(&journal->lock);
    (void)pthread_rwlock_unlock(&journal->gate);
}
