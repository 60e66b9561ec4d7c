/*
 * core_files.h - a process that holds secrets leaves no copy of its memory.
 */
#ifndef WEIR_CLI_CORE_FILES_H
#define WEIR_CLI_CORE_FILES_H

#include <stdbool.h>

/* From here on: no core file, and no other process of this user may read our
 * memory.  allow(): it may again, when the secrets are gone. */
void core_files_forbid(void);
void core_files_allow(void);
bool core_files_are_allowed(void);

#endif
