/*
 * message_trace.c - the trace that a message belongs to.
 *
 * It is looked for when somebody asks: most messages are never asked.
 *
 * Threads: whoever has the message.
 */
#include <string.h>

#include <weir/message.h>

#include "traceparent.h"

bool weir_message_trace(const struct weir_message *msg,
                        struct weir_trace *ret_trace)
{
    struct traceparent parent;
    struct weir_bytes state;

    _Static_assert(sizeof ret_trace->trace_id == sizeof parent.trace_id &&
                       sizeof ret_trace->parent_id == sizeof parent.parent_id,
                   "they are the same texts");
    if (!traceparent_parse(weir_message_find_header(msg, "traceparent"),
                           &parent))
        return false;
    *ret_trace = (struct weir_trace){.is_sampled = parent.is_sampled};
    memcpy(ret_trace->trace_id, parent.trace_id, sizeof parent.trace_id);
    memcpy(ret_trace->parent_id, parent.parent_id, sizeof parent.parent_id);
    state = weir_message_find_header(msg, "tracestate");
    if (tracestate_is_valid(state))
        ret_trace->state = state;
    return true;
}
