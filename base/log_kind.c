/*
 * log_kind.c - how many lines of one kind are written, and how many were not.
 *
 * Ten thousand messages that fail in a second fail for one reason, and nobody
 * reads it ten thousand times.  Each kind has a bucket: its first lines pass,
 * then one a second; the next one that passes says how many did not, or, when
 * none comes, whoever looks from time to time.
 *
 * The table is small and searched from its start: lines are rare, and what is
 * left out costs no more than this.  When it is full the kind that was quiet
 * for longest makes room, unless it has something to say.
 *
 * Threads: the caller's lock.
 */
#include "log_kind.h"

#include <stddef.h>
#include <stdio.h>

static struct log_kind *find(struct log_kinds *kinds,
                             const struct log_said *said)
{
    struct log_kind *oldest = NULL;

    for (size_t i = 0; i < LOG_KIND_COUNT; i++) {
        struct log_kind *kind = &kinds->list[i];

        if (kind->what == said->what && kind->whose == said->whose)
            return kind;
        if (kind->limit.suppressed == 0 &&
            (!oldest || kind->turn < oldest->turn))
            oldest = kind;
    }
    if (oldest)
        *oldest = (struct log_kind){.what = said->what, .whose = said->whose};
    return oldest;
}

bool log_kind_pass(struct log_kinds *kinds, const struct log_said *said,
                   unsigned *ret_left_out)
{
    struct log_kind *kind = find(kinds, said);

    *ret_left_out = 0;
    if (!kind)
        return true;
    kind->turn = ++kinds->turn;
    if (!log_limit_pass(&kind->limit, said->burst, ret_left_out))
        return false;
    kind->level = said->level;
    (void)snprintf(kind->text, sizeof kind->text, "%s", said->text);
    return true;
}

unsigned log_kind_due(struct log_kinds *kinds, const void *whose, bool is_end,
                      struct log_kind *ret_kind)
{
    for (size_t i = 0; i < LOG_KIND_COUNT; i++) {
        struct log_kind *kind = &kinds->list[i];
        unsigned count;

        if (!kind->what || (kind->whose && kind->whose != whose))
            continue;
        count =
            is_end ? log_limit_end(&kind->limit) : log_limit_due(&kind->limit);
        if (count > 0) {
            *ret_kind = *kind;
            return count;
        }
    }
    return 0;
}
