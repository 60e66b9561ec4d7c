/*
 * new_handler.h - the files that `weir new handler` writes.
 */
#ifndef WEIR_CLI_NEW_HANDLER_H
#define WEIR_CLI_NEW_HANDLER_H

#include <stdbool.h>

struct new_file {
    const char *name; /* NULL ends the table */
    bool is_named;    /* the handler's name goes before it */
    bool is_executable;
    const char *text; /* @NAME@ is the handler's name */
};

extern const struct new_file new_handler_files[];

#endif
