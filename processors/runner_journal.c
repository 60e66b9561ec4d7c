/*
 * runner_journal.c - a runner that writes down what it is doing.
 *
 * Most runs suspect nobody: then each message costs its identity and one store.
 * While there are suspects, every callback passes the journal's gate, and a
 * suspect goes through it alone.
 *
 * Threads: one worker's.
 */
#include "runner_journal.h"

#include "log.h"

enum weir_status runner_journal_start(struct runner *runner,
                                      struct weir_error *err)
{
    struct journal *journal = runner->context.run->journal;

    if (!journal || runner->places == 0)
        return WEIR_OK;
    runner->is_attached = journal_attach(journal, runner->place) == WEIR_OK;
    if (runner->is_attached)
        return WEIR_OK;
    return weir_fail(err, WEIR_FATAL, "no memory for a signal stack");
}

void runner_journal_stop(struct runner *runner)
{
    if (runner->is_attached)
        journal_detach(runner->context.run->journal, runner->place);
    runner->is_attached = false;
}

void runner_journal_enter(struct runner *runner, enum journal_callback callback,
                          struct weir_message *const *messages, uint32_t count)
{
    struct journal *journal = runner->context.run->journal;
    const uint32_t room = runner->places * JOURNAL_AT_ONCE;

    for (uint32_t i = 0; journal && i < count && i < room; i++)
        journal_enter(journal, runner->place, i,
                      journal_identity(messages[i], callback));
}

void runner_journal_leave(struct runner *runner)
{
    struct journal *journal = runner->context.run->journal;

    if (journal)
        journal_leave(journal, runner->place, runner->places);
}

bool runner_journal_has_suspects(const struct runner *runner)
{
    const struct journal *journal = runner->context.run->journal;

    return journal && journal_has_suspects(journal);
}

bool runner_journal_is_watchful(const struct runner *runner)
{
    const struct journal *journal = runner->context.run->journal;

    return journal &&
           (journal_has_suspects(journal) || journal_has_condemned(journal));
}

static bool is_suspect(struct journal *journal, enum journal_callback callback,
                       const struct weir_message *msg)
{
    unsigned crashes = 0;

    return journal_judge(journal, journal_identity(msg, callback), &crashes) ==
           JOURNAL_SUSPECT;
}

bool runner_journal_forbids(struct runner *runner,
                            enum journal_callback callback,
                            const struct weir_message *msg,
                            unsigned *ret_crashes)
{
    struct journal *journal = runner->context.run->journal;

    return journal && journal_has_condemned(journal) &&
           journal_judge(journal, journal_identity(msg, callback),
                         ret_crashes) == JOURNAL_CONDEMNED;
}

/* What handle_batch() may not have need not be made. */
bool runner_is_condemned(struct runner *runner, struct weir_message *msg)
{
    unsigned crashes = 0;

    if (!runner_journal_forbids(runner, JOURNAL_MESSAGE, msg, &crashes) &&
        !runner_journal_forbids(runner, JOURNAL_BATCH, msg, &crashes))
        return false;
    message_set_reason(msg, &runner->context,
                       "took the process down %u times, handled alone",
                       crashes);
    return true;
}

uint32_t runner_may_batch(struct runner *runner,
                          struct weir_message *const *messages, uint32_t count)
{
    struct journal *journal = runner->context.run->journal;
    unsigned crashes = 0;
    uint32_t i = 0;

    if (!runner_journal_is_watchful(runner))
        return count;
    while (i < count &&
           journal_judge(journal,
                         journal_identity(messages[i], runner->of_batch),
                         &crashes) == JOURNAL_INNOCENT)
        i++;
    if (i > 0)
        return i;
    if (!runner_journal_forbids(runner, runner->of_batch, messages[0],
                                &crashes))
        return 1;
    message_set_reason(messages[0], &runner->context,
                       "took the process down %u times, alone in its batch",
                       crashes);
    return 0;
}

void runner_journal_begin(struct runner *runner, enum journal_callback callback,
                          struct weir_message *msg)
{
    struct journal *journal = runner->context.run->journal;
    char name[160];

    runner->has_passed = runner_journal_has_suspects(runner);
    runner->is_isolated =
        runner->has_passed && msg && is_suspect(journal, callback, msg);
    if (runner->is_isolated) {
        log_write(WEIR_LOG_WARNING,
                  "%s was being handled when the process went down: it is "
                  "handled alone",
                  message_name(msg, name, sizeof name));
        journal_isolate(journal, runner->place);
    } else if (runner->has_passed) {
        journal_share(journal);
    }
}

void runner_journal_end(struct runner *runner, enum journal_callback callback,
                        struct weir_message *msg)
{
    struct journal *journal = runner->context.run->journal;

    if (runner->is_isolated)
        journal_acquit(journal, journal_identity(msg, callback));
    else if (runner->has_passed)
        journal_unshare(journal);
    runner->is_isolated = false;
    runner->has_passed = false;
}
