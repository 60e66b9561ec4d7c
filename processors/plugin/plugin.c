/*
 * plugin.c - a handler in a shared object.
 *
 * The problem: the file was compiled by somebody else, some time ago, against
 * some version of <weir/handler.h>.  What doesn't fit must be said here, in a
 * sentence that names the file and the remedy; afterwards a plugin is a struct
 * weir_handler like any other.
 *
 *     file -> ELF shared object? -> dlopen() -> weir_handler -> ABI -> copy
 *
 * The table only grows at its end, so struct_size tells the two directions
 * apart: a smaller one is an older plugin, whose missing callbacks are NULL in
 * our copy; a larger one was built for a newer weir and may rely on callbacks
 * that nobody here would call, so it is refused.
 *
 * Why RTLD_NOW: a missing function is found at the start, not at the first
 * message that needs it.  Why RTLD_LOCAL: two plugins may both have a function
 * parse().  The ELF header is looked at first because dlopen() calls a text
 * file and a truncated one alike an "invalid ELF header".
 *
 * Threads: one at a time; dlerror() is per thread.
 */
#include "plugin.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Before the callbacks: what every version of the table has. */
#define OLDEST_SIZE offsetof(struct weir_handler, init)

struct plugin {
    void *object;
    struct weir_handler handler;
};

static enum weir_status check_file(const char *path, struct weir_error *err)
{
    unsigned char ident[EI_NIDENT + sizeof(uint16_t)] = {0};
    uint16_t type;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return weir_fail(err, WEIR_REJECT, "plugin %s: %s", path,
                         errno == ENOENT ? "there is no such file"
                                         : strerror(errno));
    const ssize_t got = read(fd, ident, sizeof ident);
    (void)close(fd);
    memcpy(&type, ident + EI_NIDENT, sizeof type);
    if (got != (ssize_t)sizeof ident || memcmp(ident, ELFMAG, SELFMAG) != 0 ||
        type != ET_DYN)
        return weir_fail(err, WEIR_REJECT,
                         "plugin %s: is not a shared object; `weir cc` makes "
                         "one from a C file",
                         path);
    return WEIR_OK;
}

/* dlerror() starts with the path, which the sentence already has. */
static const char *without_path(const char *text, const char *path)
{
    const size_t length = strlen(path);

    if (strncmp(text, path, length) == 0 && text[length] == ':')
        text += length + 1;
    return text + strspn(text, " ");
}

static enum weir_status open_failed(const char *path, struct weir_error *err)
{
    static const char undefined[] = "undefined symbol: ";
    const char *text = without_path(dlerror(), path);
    const char *symbol = strstr(text, undefined);

    if (!symbol)
        return weir_fail(err, WEIR_REJECT, "plugin %s: cannot be loaded: %s",
                         path, text);
    symbol += strlen(undefined);
    if (strncmp(symbol, "weir_", strlen("weir_")) == 0)
        return weir_fail(err, WEIR_REJECT,
                         "plugin %s: built for a newer weir: it calls %s(), "
                         "which weir " WEIR_VERSION " doesn't have",
                         path, symbol);
    return weir_fail(err, WEIR_REJECT,
                     "plugin %s: has the unresolved symbol %s; link the "
                     "library that defines it (weir cc FILE.c -lNAME)",
                     path, symbol);
}

static enum weir_status check_abi(const char *path,
                                  const struct weir_handler *theirs,
                                  struct weir_error *err)
{
    if (theirs->abi_version > WEIR_ABI_VERSION)
        return weir_fail(err, WEIR_REJECT,
                         "plugin %s: built for a newer weir: it has ABI %u, "
                         "weir " WEIR_VERSION " has ABI %u",
                         path, theirs->abi_version, WEIR_ABI_VERSION);
    if (theirs->abi_version < WEIR_ABI_VERSION)
        return weir_fail(err, WEIR_REJECT,
                         "plugin %s: has ABI %u, weir " WEIR_VERSION
                         " has ABI %u; compile it again with `weir cc`",
                         path, theirs->abi_version, WEIR_ABI_VERSION);
    if (theirs->struct_size > sizeof *theirs)
        return weir_fail(err, WEIR_REJECT,
                         "plugin %s: built for a newer weir: its table of "
                         "callbacks has %u bytes, that of weir " WEIR_VERSION
                         " has %zu",
                         path, theirs->struct_size, sizeof *theirs);
    if (theirs->struct_size < OLDEST_SIZE)
        return weir_fail(err, WEIR_REJECT,
                         "plugin %s: its weir_handler has a struct_size of %u; "
                         "define it with WEIR_HANDLER()",
                         path, theirs->struct_size);
    return WEIR_OK;
}

static enum weir_status read_handler(struct plugin *plugin, const char *path,
                                     struct weir_error *err)
{
    const struct weir_handler *theirs = dlsym(plugin->object, "weir_handler");
    enum weir_status status;

    if (!theirs)
        return weir_fail(err, WEIR_REJECT,
                         "plugin %s: has no symbol weir_handler; define it "
                         "with WEIR_HANDLER()",
                         path);
    status = check_abi(path, theirs, err);
    if (status != WEIR_OK)
        return status;
    memcpy(&plugin->handler, theirs, theirs->struct_size);
    plugin->handler.struct_size = sizeof plugin->handler;
    if (!plugin->handler.name)
        plugin->handler.name = "plugin";
    return WEIR_OK;
}

enum weir_status plugin_open(const char *path, struct plugin **ret_plugin,
                             struct weir_error *err)
{
    struct plugin *plugin = NULL;
    enum weir_status status = check_file(path, err);

    if (status != WEIR_OK)
        return status;
    plugin = calloc(1, sizeof *plugin);
    if (!plugin)
        return weir_fail(err, WEIR_RETRY, "plugin %s: no memory", path);

    plugin->object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    status = plugin->object ? read_handler(plugin, path, err)
                            : open_failed(path, err);
    if (status != WEIR_OK) {
        plugin_close(plugin);
        return status;
    }
    *ret_plugin = plugin;
    return WEIR_OK;
}

void plugin_close(struct plugin *plugin)
{
    if (!plugin)
        return;
    if (plugin->object)
        (void)dlclose(plugin->object);
    free(plugin);
}

const struct weir_handler *plugin_handler(const struct plugin *plugin)
{
    return &plugin->handler;
}
