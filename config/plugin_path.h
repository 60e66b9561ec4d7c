/*
 * plugin_path.h - where a handler's shared object is.
 */
#ifndef WEIR_CONFIG_PLUGIN_PATH_H
#define WEIR_CONFIG_PLUGIN_PATH_H

#include <stddef.h>

#include "storage.h"

/*
 * The absolute path of the plugin that the topology calls `name`; NULL: there
 * is none, and `ret_tried` says where it was looked for.
 */
char *plugin_path_find(struct storage *storage, const char *folder,
                       const char *name, char *ret_tried, size_t size);

#endif
