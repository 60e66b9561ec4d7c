/*
 * machine.h - what this process may use of the machine.
 */
#ifndef WEIR_CONFIG_MACHINE_H
#define WEIR_CONFIG_MACHINE_H

#include <stddef.h>

/* Half of the cgroup's memory limit; without one 256 MiB.  `root` is "" but in
 * tests. */
size_t machine_memory(const char *root);

/* The cgroup's memory limit; 0: none. */
size_t machine_memory_limit(const char *root);

unsigned machine_cores(void); /* that this process may run on */

#endif
