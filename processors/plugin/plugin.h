/*
 * plugin.h - a handler in a shared object.
 */
#ifndef WEIR_PLUGIN_H
#define WEIR_PLUGIN_H

#include <weir/handler.h>

struct plugin;

/* Runs the object's constructors and none of its callbacks.  WEIR_REJECT: it
 * can't be used, and `err` says why; WEIR_RETRY: no memory. */
WEIR_MUST_USE
enum weir_status plugin_open(const char *path, struct plugin **ret_plugin,
                             struct weir_error *err);

/* When no thread runs its code any more.  NULL is fine. */
void plugin_close(struct plugin *plugin);

/* Complete, also when the plugin was built with an older weir; borrowed. */
const struct weir_handler *plugin_handler(const struct plugin *plugin);

#endif
