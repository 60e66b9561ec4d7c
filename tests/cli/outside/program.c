/*
 * program.c - the whole command with a handler linked in.
 */
#include <weir/pipeline.h>

static enum weir_status handle_message(struct weir_message *msg, void *state)
{
    (void)state;
    return weir_message_set_payload(msg, WEIR_STR("linked"));
}

WEIR_HANDLER(program, .handle_message = handle_message);

int main(int argc, char **argv)
{
    return weir_main(argc, argv, &weir_handler);
}
