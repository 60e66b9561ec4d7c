/*
 * errand.h - a thread that goes outside, and may be late.
 */
#ifndef WEIR_TELEMETRY_ERRAND_H
#define WEIR_TELEMETRY_ERRAND_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/status.h>

struct errand;

struct errand_config {
    const char *name;     /* of the thread: at most 15 characters */
    const char *pipeline; /* in its log lines; borrowed until stop() */
    void *self;           /* given: destroy() gets it */
    void (*run)(void *self, struct errand *errand);
    void (*destroy)(void *self);
};

/* On failure `self` is still the caller's. */
WEIR_MUST_USE
enum weir_status errand_start(const struct errand_config *config,
                              struct errand **ret_errand,
                              struct weir_error *err);

/* Asks it to end, and waits; but not longer than `patience_us` while it is
 * outside: then it is left behind, and destroys itself when it comes back. */
void errand_stop(struct errand *errand, int64_t patience_us); /* NULL is fine */

/* For run(). */

/* Until the deadline; true: it is to end. */
bool errand_wait(struct errand *errand, int64_t deadline_us);

/* Around a call that may take as long as it likes.  Meanwhile it touches what
 * is its own alone; come_back() false: it was left behind, so from then on,
 * too. */
void errand_go_out(struct errand *errand);
bool errand_come_back(struct errand *errand);

#endif
