/*
 * own_node.c - a broker that a test may stop, freeze or kill.
 *
 * Threads: one.
 */
#include "own_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

static void run(const char *command)
{
    if (system(command) != 0) /* NOLINT: our own script, our own folder */
        fail_msg("failed: %s", command);
}

void own_node_do(const struct own_node *node, const char *verb)
{
    char command[1000];

    (void)snprintf(command, sizeof(command), "'%s' %s '%s' > '%s.out'", BROKERS,
                   verb, node->folder, node->folder);
    run(command);
}

/* What `start` printed: NAME=VALUE a line. */
static void take_environment(const struct own_node *node)
{
    char path[100], line[300];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s.out", node->folder);
    file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        char *equals = strchr(line, '=');

        line[strcspn(line, "\n")] = '\0';
        if (equals) {
            *equals = '\0';
            assert_int_equal(setenv(line, equals + 1, 1), 0);
        }
    }
    (void)fclose(file);
}

void own_node_start(struct own_node *node, const char *broker,
                    const char *options)
{
    char verb[200];

    (void)snprintf(node->folder, sizeof(node->folder), "/tmp/weir-%s-XXXXXX",
                   broker);
    assert_non_null(mkdtemp(node->folder));
    (void)snprintf(verb, sizeof(verb), "start --owner %d %s %s", (int)getpid(),
                   options, broker);
    own_node_do(node, verb);
    take_environment(node);
}

void own_node_end(struct own_node *node)
{
    char command[200];

    own_node_do(node, "kill");
    (void)snprintf(command, sizeof(command), "rm -rf '%s' '%s.out'",
                   node->folder, node->folder);
    run(command);
}
