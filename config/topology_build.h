/*
 * topology_build.h - a topology while it is made.
 */
#ifndef WEIR_CONFIG_TOPOLOGY_BUILD_H
#define WEIR_CONFIG_TOPOLOGY_BUILD_H

#include <stdbool.h>

#include "reader.h"
#include "topology.h"

/* A connector's settings before it has shares. */
struct build_connector {
    struct weir_settings *settings; /* NULL: none, or reported */
    bool is_sound;                  /* read without an error */
};

struct build_batcher {
    struct weir_settings *settings; /* its own keys */
    struct build_connector sink;
};

struct build {
    struct reader reader;
    const struct connectors *connectors;
    const struct topology_source *source;
    struct node *root;
    struct topology *topology;
    struct weir_settings *top, *producer, *processors; /* their own keys */
    struct build_connector connector;                  /* the producer's */
    struct build_batcher *batchers;
};

/* Each is given what the one before it left; errors are reported.  After an
 * out-of-memory the storage says so. */
void build_read(struct build *build);   /* keys to values */
void build_check(struct build *build);  /* values against each other */
void build_shares(struct build *build); /* instances, connectors' check() */

#endif
