/*
 * kit.h - what is needed to compile a handler, found next to this program.
 */
#ifndef WEIR_CLI_KIT_H
#define WEIR_CLI_KIT_H

#include <limits.h>
#include <stdbool.h>

#include <weir/status.h>

struct kit {
    char include[PATH_MAX]; /* the folder that holds weir/handler.h */
    char library[PATH_MAX]; /* libweir.so; "": it is part of this program */
};

/* WEIR_REJECT: there are no headers near; `err` says where it looked. */
WEIR_MUST_USE
enum weir_status kit_find(struct kit *ret_kit, struct weir_error *err);

/* The same for a library, or program, that is at `object`. */
WEIR_MUST_USE
enum weir_status kit_find_near(const char *object, struct kit *ret_kit,
                               struct weir_error *err);

#endif
