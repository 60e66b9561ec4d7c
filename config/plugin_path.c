/*
 * plugin_path.c - where a handler's shared object is.
 *
 * With a slash, a path relative to the topology file; without one, a name that
 * is searched in the folders of WEIR_HANDLER_PATH, beside the topology file,
 * then among the installed handlers: weir/handlers beside the library's own
 * file, so that a tree that was installed elsewhere, or moved, finds its own.
 * Where weir is a part of a program there is no such file, and the folder is
 * the one of the build.
 * ".so" may be left out.
 *
 * Threads: none; the loader's.
 */
#include "plugin_path.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "wordlist.h"

struct search {
    struct storage *storage;
    const char *folder, *name;
    char *tried;
    size_t tried_size;
};

static bool is_file(const char *path)
{
    struct stat meta;

    return stat(path, &meta) == 0 && S_ISREG(meta.st_mode);
}

static bool ends_in_so(const char *path)
{
    const size_t size = strlen(path);

    return size > 3 && strcmp(path + size - 3, ".so") == 0;
}

static char *with_so(struct storage *storage, const char *path)
{
    const size_t size = strlen(path) + sizeof ".so";
    char *longer = storage_alloc(storage, size);

    if (longer)
        (void)snprintf(longer, size, "%s.so", path);
    return longer;
}

/* `name` in `folder`, as it is or with ".so". */
static char *look_in(const struct search *search, const char *folder)
{
    char *path = file_join(search->storage, folder, search->name);

    if (path && is_file(path))
        return path;
    if (path && !ends_in_so(path))
        path = with_so(search->storage, path);
    if (!path || is_file(path))
        return path;
    wordlist_append(search->tried, search->tried_size, WEIR_STR(path));
    return NULL;
}

/* Each folder of WEIR_HANDLER_PATH; relative ones start at the topology. */
static char *look_in_path(const struct search *search, const char *list)
{
    char *found = NULL;

    while (!found && list && *list != '\0') {
        const size_t size = strcspn(list, ":");
        const char *entry = storage_copy(search->storage, list, size);
        const char *folder =
            entry ? file_join(search->storage, search->folder, entry) : NULL;

        if (size > 0 && folder)
            found = look_in(search, folder);
        list += size + (list[size] == ':' ? 1 : 0);
    }
    return found;
}

/* NULL when out of memory. */
static const char *installed_folder(struct storage *storage)
{
    static const char here[] = "weir"; /* its address is in the library */
    char library[PATH_MAX];
    const char *folder;
    Dl_info info;

    if (!dladdr(here, &info) || !info.dli_fname ||
        !strstr(info.dli_fname, ".so") || !realpath(info.dli_fname, library))
        return WEIR_HANDLER_DIR;
    folder = file_folder(storage, library);
    return folder ? file_join(storage, folder, "weir/handlers") : NULL;
}

char *plugin_path_find(struct storage *storage, const char *folder,
                       const char *name, char *ret_tried, size_t size)
{
    const struct search search = {.storage = storage,
                                  .folder = folder,
                                  .name = name,
                                  .tried = ret_tried,
                                  .tried_size = size};
    const char *installed;
    char *found;

    ret_tried[0] = '\0';
    if (strchr(name, '/'))
        return look_in(&search, folder);
    found = look_in_path(&search, getenv("WEIR_HANDLER_PATH"));
    if (!found)
        found = look_in(&search, folder);
    if (found)
        return found;
    installed = installed_folder(storage);
    return installed ? look_in(&search, installed) : NULL;
}
