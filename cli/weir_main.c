/*
 * weir_main.c - the whole command: finds the verb and runs it.
 *
 * A verb is one file that ends with its `const struct verb`; this table is the
 * only list of them.  Data goes to standard output and messages to standard
 * error, so that every verb works in a pipe.
 *
 * Threads: those of the verb.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <weir/pipeline.h>

#include "arguments.h"
#include "core_files.h"
#include "init.h"
#include "suggest.h"
#include "verb.h"

static const struct verb *const verbs[] = {
    &verb_run,     &verb_check, &verb_graph, &verb_new,      &verb_cc,
    &verb_try,     &verb_demo,  &verb_list,  &verb_describe, &verb_health,
    &verb_explain, &verb_top,   &verb_tap,   &verb_version,  NULL,
};

const char *weir_version(void)
{
    return WEIR_VERSION;
}

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; verbs[i]; i++)
        if (strcmp(verbs[i]->name, name) == 0)
            return verbs[i];
    return NULL;
}

static void print_usage(FILE *out)
{
    (void)fputs("weir moves messages from Kafka and AMQP through a handler "
                "written in C.\n\nusage: weir VERB ...\n\n",
                out);
    for (size_t i = 0; verbs[i]; i++)
        (void)fprintf(out, "  %-10s %s\n", verbs[i]->name, verbs[i]->summary);
    (void)fputs("\n`weir VERB --help` explains one of them, with an example.\n",
                out);
}

static int unknown_verb(const char *name)
{
    struct suggestion suggestion = {.word = name};
    char hint[80];

    for (size_t i = 0; verbs[i]; i++)
        suggestion_offer(&suggestion, verbs[i]->name);
    (void)fprintf(stderr, "weir: there is no verb %s%s\nTry `weir --help`.\n",
                  name, suggestion_text(&suggestion, hint, sizeof hint));
    return VERB_EXIT_USAGE;
}

static bool asks_for_help(const struct call *call)
{
    for (int i = 1; i < call->argc && strcmp(call->argv[i], "--") != 0; i++)
        if (strcmp(call->argv[i], "--help") == 0 ||
            strcmp(call->argv[i], "-h") == 0)
            return true;
    return false;
}

static int run_verb(const struct call *call)
{
    const char *name = call->argv[0];
    const struct verb *verb = find_verb(name);

    if (verb && asks_for_help(call)) {
        verb_help(verb, stdout);
        return VERB_EXIT_OK;
    }
    if (verb)
        return verb->run(verb, call);
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 ||
        (strcmp(name, "help") == 0 && call->argc == 1)) {
        print_usage(stdout);
        return VERB_EXIT_OK;
    }
    if (strcmp(name, "help") == 0) {
        verb = find_verb(call->argv[1]);
        if (!verb)
            return unknown_verb(call->argv[1]);
        verb_help(verb, stdout);
        return VERB_EXIT_OK;
    }
    if (strcmp(name, "--version") == 0) {
        const struct call version = {.argc = 1, .argv = call->argv};

        return verb_version.run(&verb_version, &version);
    }
    return unknown_verb(name);
}

int weir_main(int argc, char **argv, const struct weir_handler *handler)
{
    const struct call call = {
        .argc = argc - 1, .argv = argv + 1, .linked = handler};
    const bool had_core_files = core_files_are_allowed();
    int code;

    if (argc < 2) {
        print_usage(stderr);
        return VERB_EXIT_USAGE;
    }
    code = init_is_needed() ? init_stay_behind() : -1;
    if (code >= 0)
        return code;
    code = run_verb(&call);
    if (had_core_files)
        core_files_allow(); /* the topology and its secrets are gone */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        (void)fprintf(stderr, "weir: cannot write to standard output: %s\n",
                      strerror(errno));
        if (code == VERB_EXIT_OK)
            code = VERB_EXIT_FAILED;
    }
    return code;
}
