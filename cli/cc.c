/*
 * cc.c - weir cc: compiles a handler with the right flags.
 *
 * A handler is a shared object whose calls of weir resolve in the process that
 * loads it.  It is linked against libweir.so all the same, with -z defs: what
 * is misspelled, or lacks its library, fails here and not at the start of a
 * run.
 *
 * Not a build system: the compiler takes this process over, and every argument
 * that isn't ours goes to it as it stands.
 *
 * Threads: none.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "kit.h"
#include "verb.h"

/* What we add to the arguments, at most. */
enum { OWN_ARGUMENTS = 32, COMPILER_WORDS = 8 };

struct compile {
    struct kit kit;
    char include_flag[PATH_MAX + 2];
    char output[PATH_MAX];   /* when -o isn't given */
    char compiler[PATH_MAX]; /* $CC, cut into words */
    char **argv;             /* borrowed words, for execvp() */
    size_t count;
    const char *source; /* the first one; NULL: there is none */
    bool has_c, has_cxx, has_output;
};

static bool ends_with(const char *text, const char *end)
{
    const size_t size = strlen(text);
    const size_t end_size = strlen(end);

    return size > end_size && strcmp(text + size - end_size, end) == 0;
}

/* execvp() wants char * and changes nothing. */
static void add(struct compile *compile, const char *argument)
{
    memcpy(&compile->argv[compile->count++], &argument, sizeof argument);
}

static bool is_cxx(const char *name)
{
    static const char *const endings[] = {".cc", ".cpp", ".cxx", ".C"};

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (ends_with(name, endings[i]))
            return true;
    return false;
}

/* What the arguments say of the languages and the output. */
static void look(struct compile *compile, const struct call *call)
{
    for (int i = 1; i < call->argc; i++) {
        const char *argument = call->argv[i];

        if (strncmp(argument, "-o", 2) == 0)
            compile->has_output = true;
        if (argument[0] == '-')
            continue;
        if (ends_with(argument, ".c"))
            compile->has_c = true;
        else if (is_cxx(argument))
            compile->has_cxx = true;
        else
            continue;
        if (!compile->source)
            compile->source = argument;
    }
}

/* $CC may have words of its own: "ccache gcc". */
static void add_compiler(struct compile *compile)
{
    const bool is_all_cxx = compile->has_cxx && !compile->has_c;
    const char *chosen = getenv(is_all_cxx ? "CXX" : "CC");
    char *rest = NULL;
    size_t words = 0;

    if (!chosen || !*chosen)
        chosen = is_all_cxx ? "c++" : "cc";
    (void)snprintf(compile->compiler, sizeof compile->compiler, "%s", chosen);
    for (char *word = strtok_r(compile->compiler, " ", &rest);
         word && words < COMPILER_WORDS; word = strtok_r(NULL, " ", &rest)) {
        add(compile, word);
        words++;
    }
}

/* "orders.so" of "src/orders.c", in the working folder, as a compiler does. */
static void add_default_output(struct compile *compile)
{
    const char *slash = strrchr(compile->source, '/');
    const char *name = slash ? slash + 1 : compile->source;

    (void)snprintf(compile->output, sizeof compile->output, "%.*s.so",
                   (int)(strrchr(name, '.') - name), name);
    add(compile, "-o");
    add(compile, compile->output);
}

static void build(struct compile *compile, const struct call *call)
{
    static const char *const flags[] = {
        "-O2",   "-g",      "-Wall", "-Wextra", "-fvisibility=hidden",
        "-fPIC", "-shared",
    };

    add_compiler(compile);
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        add(compile, flags[i]);
    (void)snprintf(compile->include_flag, sizeof compile->include_flag, "-I%s",
                   compile->kit.include);
    add(compile, compile->include_flag);
    for (int i = 1; i < call->argc; i++)
        add(compile, call->argv[i]);
    if (!compile->has_output)
        add_default_output(compile);
    if (compile->has_cxx && compile->has_c)
        add(compile, "-lstdc++");
    if (*compile->kit.library) {
        add(compile, "-Wl,-z,defs");
        add(compile, "-Wl,--as-needed");
        add(compile, compile->kit.library);
    }
    add(compile, NULL);
}

static int cc_run(const struct verb *verb, const struct call *call)
{
    struct weir_error err = {0};
    struct compile *compile = calloc(1, sizeof *compile);
    int code = VERB_EXIT_FAILED;

    if (!compile)
        return VERB_EXIT_FAILED;
    compile->argv =
        calloc((size_t)call->argc + OWN_ARGUMENTS, sizeof *compile->argv);
    if (!compile->argv)
        goto out;
    look(compile, call);
    if (!compile->source) {
        code = usage_error(verb, "FILE.c is missing");
        goto out;
    }
    if (kit_find(&compile->kit, &err) != WEIR_OK) {
        (void)fprintf(stderr, "weir cc: %s\n", err.text);
        goto out;
    }
    build(compile, call);
    (void)execvp(compile->argv[0], compile->argv);
    (void)fprintf(stderr,
                  "weir cc: cannot run %s: %s; install a C compiler, or name "
                  "one in CC\n",
                  compile->argv[0], strerror(errno));

out:
    free(compile->argv);
    free(compile);
    return code;
}

const struct verb verb_cc = {
    .name = "cc",
    .operands = "FILE.c... [-o NAME.so] [compiler options]",
    .summary = "compiles a handler",
    .text = "Runs $CC (cc), or $CXX (c++) for C++, with weir's headers and "
            "what a plugin needs;\nall other arguments go to the compiler.  "
            "Without -o, orders.c becomes orders.so.\n",
    .example = "  weir cc orders.c -o orders.so\n"
               "  weir cc orders.c parse.c -o orders.so -O3 -lxml2\n",
    .run = cc_run,
};
