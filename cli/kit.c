/*
 * kit.c - what is needed to compile a handler, found next to this program.
 *
 * Nothing is compiled in, so that an installed tree can be moved:
 *
 *     build tree       cli/libweir.so   cli/weir.include names the folder
 *     installed        lib/libweir.so   ../include
 *     with multiarch   lib/x86_64-linux-gnu/libweir.so   ../../include
 *
 * It starts from the library, not from the executable: with a handler linked
 * in, the command is the user's own program, wherever that is.
 *
 * Threads: any.
 */
#include "kit.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Its address is in the library, or in the program that it is part of. */
static const char here[] = "weir";

static bool has_headers(const char *folder)
{
    char path[PATH_MAX + sizeof "/weir/handler.h"];

    (void)snprintf(path, sizeof path, "%s/weir/handler.h", folder);
    return access(path, R_OK) == 0;
}

/* The first line of `folder`/weir.include. */
static bool read_build_tree(const char *folder, char *out)
{
    char path[PATH_MAX + sizeof "/weir.include"];
    FILE *file;
    bool is_read;

    (void)snprintf(path, sizeof path, "%s/weir.include", folder);
    file = fopen(path, "re");
    if (!file)
        return false;
    is_read = fgets(out, PATH_MAX, file) != NULL;
    (void)fclose(file);
    if (!is_read)
        return false;
    out[strcspn(out, "\n")] = '\0';
    return has_headers(out);
}

static bool try_folder(const char *folder, const char *below, char *out)
{
    char path[PATH_MAX + sizeof "/../../include"];

    (void)snprintf(path, sizeof path, "%s/%s", folder, below);
    return realpath(path, out) && has_headers(out);
}

enum weir_status kit_find_near(const char *object, struct kit *ret_kit,
                               struct weir_error *err)
{
    struct kit kit = {.include = ""};
    char folder[PATH_MAX];
    char *slash;

    if (!realpath(object, folder))
        return weir_fail(err, WEIR_REJECT, "cannot find %s: %s", object,
                         strerror(errno));
    if (strstr(folder, ".so"))
        (void)snprintf(kit.library, sizeof kit.library, "%s", folder);
    slash = strrchr(folder, '/');
    *slash = '\0';
    if (!read_build_tree(folder, kit.include) &&
        !try_folder(folder, "../include", kit.include) &&
        !try_folder(folder, "../../include", kit.include))
        return weir_fail(err, WEIR_REJECT,
                         "there is no include/weir/handler.h near %s; install "
                         "weir with its headers",
                         folder);
    *ret_kit = kit;
    return WEIR_OK;
}

enum weir_status kit_find(struct kit *ret_kit, struct weir_error *err)
{
    Dl_info info;

    if (!dladdr(here, &info) || !info.dli_fname)
        return weir_fail(err, WEIR_REJECT, "cannot find libweir.so");
    if (strstr(info.dli_fname, ".so"))
        return kit_find_near(info.dli_fname, ret_kit, err);
    return kit_find_near("/proc/self/exe", ret_kit, err);
}
