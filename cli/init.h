/*
 * init.h - the first process of a container.
 */
#ifndef WEIR_INIT_H
#define WEIR_INIT_H

#include <stdbool.h>

/* Whether this process is the first of its process namespace. */
bool init_is_needed(void);

/*
 * Goes on as a child of this process, which stays behind: it passes signals on,
 * reaps what is orphaned, and answers for the child.
 *
 * Returns -1 in the child, in which nothing has changed but its id.  In this
 * process it returns when the child has ended: the child's exit code, as a
 * shell shows it.  Where no process can be had (no memory) it returns -1 in
 * this one.  To be called before any thread is started.
 */
int init_stay_behind(void);

#endif
