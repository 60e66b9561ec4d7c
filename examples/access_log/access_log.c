/*
 * access_log.c - from a line of an access log to a JSON object.
 */
#include "access_log.h"

#include "log_line.h"
#include "log_line_json.h"

enum weir_status access_log_handle_message(struct weir_message *msg,
                                           void *state)
{
    struct log_line line;
    struct log_fault fault;
    char class[] = "0xx";
    char *object;

    (void)state;
    if (!log_line_parse(weir_message_payload(msg), &line, &fault))
        return weir_message_reject(msg, "column %zu: %s: %s", fault.column,
                                   fault.field, fault.problem);

    object = weir_message_reserve(msg, log_line_json_bound(&line));
    if (!object)
        return WEIR_RETRY;
    weir_message_commit(msg, log_line_json_write(&line, object));

    class[0] = (char)('0' + line.status / 100);
    weir_message_set_batch_key(msg, WEIR_STR(class));
    return WEIR_OK;
}

const struct weir_handler access_log_handler = {
    .abi_version = WEIR_ABI_VERSION,
    .struct_size = sizeof(struct weir_handler),
    .name = "access_log",
    .handle_message = access_log_handle_message,
};
