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
                                      const struct weir_worker *worker,
                                      struct weir_error *err)
{
    struct journal *journal = runner->context.run->journal;

    if (!journal || worker->batcher)
        return WEIR_OK;
    runner->place = worker->index;
    runner->is_processor = true;
    if (journal_attach(journal, worker->index) == WEIR_OK)
        return WEIR_OK;
    return weir_fail(err, WEIR_FATAL, "no memory for a signal stack");
}

void runner_journal_stop(struct runner *runner)
{
    struct journal *journal = runner->context.run->journal;

    if (journal && runner->is_processor)
        journal_detach(journal, runner->place);
}

void runner_journal_enter(struct runner *runner,
                          struct weir_message *const *messages, uint32_t count)
{
    struct journal *journal = runner->context.run->journal;

    for (uint32_t i = 0; journal && i < count; i++)
        journal_enter(journal, runner->place, i, journal_identity(messages[i]));
}

void runner_journal_leave(struct runner *runner)
{
    struct journal *journal = runner->context.run->journal;

    if (journal)
        journal_leave(journal, runner->place);
}

bool runner_journal_has_suspects(const struct runner *runner)
{
    const struct journal *journal = runner->context.run->journal;

    return journal && journal_has_suspects(journal);
}

static bool is_suspect(struct journal *journal, const struct weir_message *msg)
{
    unsigned crashes = 0;

    return msg && journal_judge(journal, journal_identity(msg), &crashes) ==
                      JOURNAL_SUSPECT;
}

bool runner_is_condemned(struct runner *runner, struct weir_message *msg)
{
    struct journal *journal = runner->context.run->journal;
    unsigned crashes = 0;

    if (!journal || !journal_has_condemned(journal) ||
        journal_judge(journal, journal_identity(msg), &crashes) !=
            JOURNAL_CONDEMNED)
        return false;
    message_set_reason(msg, &runner->context,
                       "took the process down %u times, handled alone",
                       crashes);
    return true;
}

void runner_journal_begin(struct runner *runner, struct weir_message *msg)
{
    struct journal *journal = runner->context.run->journal;
    char name[160];

    runner->has_passed = runner_journal_has_suspects(runner);
    runner->is_isolated = runner->has_passed && is_suspect(journal, msg);
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

void runner_journal_end(struct runner *runner, struct weir_message *msg)
{
    struct journal *journal = runner->context.run->journal;

    if (runner->is_isolated)
        journal_acquit(journal, journal_identity(msg));
    else if (runner->has_passed)
        journal_unshare(journal);
    runner->is_isolated = false;
    runner->has_passed = false;
}
