/*
 * new.c - weir new handler NAME: a handler to begin with.
 *
 * Four files in a new folder, which compile, pass `weir check`, test themselves
 * and make an image as they are.  Nothing that exists is touched, and a folder
 * that can't be completed is taken away again.
 *
 * Threads: none.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arguments.h"
#include "new_handler.h"
#include "verb.h"

enum { NAME_LENGTH_MAX = 64 };

/* A word that is a file name and may be a C identifier. */
static bool is_name(const char *name)
{
    if (!isalpha((unsigned char)*name) || strlen(name) > NAME_LENGTH_MAX)
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && *name != '_')
            return false;
    return true;
}

/* Copies `text` with each @NAME@ replaced. */
static void write_text(FILE *out, const char *text, const char *name)
{
    static const char place[] = "@NAME@";
    const char *next;

    while ((next = strstr(text, place)) != NULL) {
        (void)fwrite(text, 1, (size_t)(next - text), out);
        (void)fputs(name, out);
        text = next + strlen(place);
    }
    (void)fputs(text, out);
}

static bool write_file(const struct new_file *file, const char *name)
{
    char path[PATH_MAX];
    bool is_written;
    FILE *out;

    (void)snprintf(path, sizeof path, "%s/%s%s", name,
                   file->is_named ? name : "", file->name);
    out = fopen(path, "wxe");
    if (!out)
        return false;
    write_text(out, file->text, name);
    is_written = ferror(out) == 0;
    is_written = fclose(out) == 0 && is_written;
    if (is_written && file->is_executable)
        is_written = chmod(path, 0755) == 0;
    if (is_written)
        (void)printf("%s\n", path);
    return is_written;
}

static void take_away(const char *name)
{
    char path[PATH_MAX];

    for (const struct new_file *file = new_handler_files; file->name; file++) {
        (void)snprintf(path, sizeof path, "%s/%s%s", name,
                       file->is_named ? name : "", file->name);
        (void)unlink(path);
    }
    (void)rmdir(name);
}

static int write_all(const char *name)
{
    if (mkdir(name, 0777) != 0) {
        (void)fprintf(stderr, "weir new: cannot make the folder %s: %s\n", name,
                      strerror(errno));
        return VERB_EXIT_FAILED;
    }
    for (const struct new_file *file = new_handler_files; file->name; file++) {
        if (write_file(file, name))
            continue;
        (void)fprintf(stderr, "weir new: cannot write into %s: %s\n", name,
                      strerror(errno));
        take_away(name);
        return VERB_EXIT_FAILED;
    }
    (void)fprintf(stderr, "Now run %s/test.sh\n", name);
    return VERB_EXIT_OK;
}

static int new_run(const struct verb *verb, const struct call *call)
{
    struct argument_texts operands;

    if (arguments_parse(verb, call, NULL, &operands) != WEIR_OK)
        return VERB_EXIT_USAGE;
    if (strcmp(operands.list[0], "handler") != 0)
        return usage_error(verb, "it makes a handler, not a %s",
                           operands.list[0]);
    if (!is_name(operands.list[1]))
        return usage_error(verb,
                           "%s is no name for a handler: use letters, digits "
                           "and _, beginning with a letter",
                           operands.list[1]);
    if (access(operands.list[1], F_OK) == 0)
        return usage_error(verb, "%s exists already", operands.list[1]);
    return write_all(operands.list[1]);
}

const struct verb verb_new = {
    .name = "new",
    .operands = "handler NAME",
    .summary = "writes a handler to begin with",
    .text = "Writes NAME/NAME.c, NAME/topology.yaml, NAME/test.sh, which "
            "compiles the handler\nand shows what it does with a few lines, "
            "and NAME/Dockerfile.\n",
    .example = "  weir new handler orders && orders/test.sh\n",
    .operand_min = 2,
    .operand_max = 2,
    .run = new_run,
};
