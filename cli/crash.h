/*
 * crash.h - notes in the journal that the process goes down.
 */
#ifndef WEIR_CLI_CRASH_H
#define WEIR_CLI_CRASH_H

/* For the rest of the process: a fatal signal, or exit(), on the thread of a
 * worker marks its journal; then what would have happened goes on. */
void crash_watch(void);

#endif
