/*
 * admin.h - health, metrics and changes of one pipeline, over HTTP.
 */
#ifndef WEIR_ADMIN_ADMIN_H
#define WEIR_ADMIN_ADMIN_H

#include <weir/status.h>

#include "pipeline.h"
#include "topology.h"

struct admin;
struct traces;

/* A library that this build is made with. */
struct admin_library {
    const char *name; /* NULL ends the table */
    const char *(*version)(void);
};

/* All borrowed until stop(). */
struct admin_config {
    const struct topology *topology; /* of `pipeline` */
    struct pipeline *pipeline;
    const struct weir_handler *handler;
    struct traces *traces; /* or NULL */
    const struct admin_library *libraries;
    const char *listen;      /* where the topology says nothing, or NULL */
    const char *listen_name; /* what said so, for errors */

    /* Reads the topology file again, if there is one, and waits for that.
     * WEIR_AGAIN: longer than until the deadline. */
    enum weir_status (*reload)(void *opaque, int64_t deadline_us);
    void *reload_opaque;
};

/*
 * Listens, and answers on a thread of its own.  WEIR_OK with `ret_admin` NULL:
 * nobody asked for it.  WEIR_REJECT: it can't be as it is configured; the text
 * names the key and the port.
 */
WEIR_MUST_USE
enum weir_status admin_start(const struct admin_config *config,
                             struct admin **ret_admin, struct weir_error *err);

/* The port that it listens on. */
unsigned admin_port(const struct admin *admin);

/* Cuts off who is there.  After it the pipeline may be destroyed; NULL is fine.
 */
void admin_stop(struct admin *admin);

#endif
