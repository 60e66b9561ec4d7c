/*
 * live.h - the chunks whose messages are on their way.
 */
#ifndef WEIR_FLOW_LIVE_H
#define WEIR_FLOW_LIVE_H

#include <stdatomic.h>

#include "message.h"

/* A producer's own. */
struct live {
    struct chunk *oldest, *newest; /* it filled them: in their tickets' order */
    struct chunk *copies; /* of single messages, made by whoever kept them */
};

/* A chunk that the producer begins to fill. */
void live_add(struct live *live, struct chunk *chunk);

/* Those that others made since; `born` is empty afterwards.  Before what came
 * back is looked at: a copy may be among it. */
void live_adopt(struct live *live, _Atomic(struct chunk *) *born);

/* Before it is freed or used again; nothing where it isn't in the list. */
void live_remove(struct live *live, struct chunk *chunk);

#endif
