/*
 * new_handler.c - the files that `weir new handler` writes.
 */
#include "new_handler.h"

#include <stddef.h>

static const char handler_text[] =
    "/*\n"
    " * @NAME@.c - what weir does with each message.\n"
    " *\n"
    " * Several workers call this at the same time, each with a state of its "
    "own\n"
    " * (from an init callback, here none), so nothing needs a lock.\n"
    " */\n"
    "#include <ctype.h>\n"
    "#include <stddef.h>\n"
    "\n"
    "#include <weir/handler.h>\n"
    "\n"
    "/* Delivers a message in upper case; an empty one is bad. */\n"
    "static enum weir_status handle_message(struct weir_message *msg, void "
    "*state)\n"
    "{\n"
    "    struct weir_bytes body = weir_message_payload(msg);\n"
    "    const unsigned char *in = body.data;\n"
    "    unsigned char *out;\n"
    "\n"
    "    (void)state;\n"
    "    if (body.size == 0)\n"
    "        return weir_message_reject(msg, \"the message is empty\");\n"
    "\n"
    "    out = weir_message_reserve(msg, body.size);\n"
    "    if (!out)\n"
    "        return WEIR_RETRY; /* no memory: again later */\n"
    "    for (size_t i = 0; i < body.size; i++)\n"
    "        out[i] = (unsigned char)toupper(in[i]);\n"
    "    weir_message_commit(msg, body.size);\n"
    "    return WEIR_OK; /* on to the batcher \"default\" */\n"
    "}\n"
    "\n"
    "WEIR_HANDLER(@NAME@, .handle_message = handle_message);\n";

static const char topology_text[] =
    "# weir run topology.yaml: standard input's lines, through @NAME@.so, to\n"
    "# standard output.  `weir list` shows what else can stand here.\n"
    "name: @NAME@\n"
    "\n"
    "producer: stdin\n"
    "\n"
    "processors:\n"
    "  handler: { plugin: @NAME@ }\n"
    "\n"
    "batchers:\n"
    "  default:\n"
    "    batch_timeout: 200ms\n"
    "    sink: stdout\n"
    "\n"
    "# A message that the handler rejects is counted, and gone.\n"
    "failure:\n"
    "  then: drop\n";

static const char test_text[] =
    "#!/bin/sh\n"
    "# Compiles the handler and checks what it does with three lines.\n"
    "set -eu\n"
    "cd \"$(dirname \"$0\")\"\n"
    "weir=${WEIR:-weir}\n"
    "\n"
    "\"$weir\" cc @NAME@.c -o @NAME@.so\n"
    "\"$weir\" check topology.yaml\n"
    "\n"
    "got=$(printf 'one\\n\\ntwo\\n' | \"$weir\" try topology.yaml)\n"
    "echo \"$got\"\n"
    "\n"
    "expect() {\n"
    "    if ! echo \"$got\" | grep -q \"$1\"; then\n"
    "        echo \"expected: $1\" >&2\n"
    "        exit 1\n"
    "    fi\n"
    "}\n"
    "expect '\"payload\":\"ONE\"'\n"
    "expect '\"reason\":\"the message is empty\"'\n"
    "expect '\"payload\":\"TWO\"'\n"
    "echo passed\n";

static const char dockerfile_text[] =
    "# @NAME@ as an image: docker build -t @NAME@ .\n"
    "#\n"
    "# It stands on weir's own images, weir and weir:dev.  The folder of\n"
    "# topology.yaml may be mounted over; the handler is found all the same.\n"
    "FROM weir:dev AS handler\n"
    "COPY @NAME@.c ./\n"
    "RUN weir cc @NAME@.c -o @NAME@.so\n"
    "\n"
    "FROM weir\n"
    "COPY --from=handler /src/@NAME@.so /usr/lib/weir/handlers/\n"
    "COPY topology.yaml /etc/weir/\n";

const struct new_file new_handler_files[] = {
    {".c", true, false, handler_text},
    {"topology.yaml", false, false, topology_text},
    {"test.sh", false, true, test_text},
    {"Dockerfile", false, false, dockerfile_text},
    {NULL, false, false, NULL},
};
