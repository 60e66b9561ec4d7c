/*
 * discard_sink.c - a destination that takes everything and keeps nothing.
 */
#include "discard_sink.h"

#include <stdbool.h>

static const struct weir_option discard_options[] = {{0}};

static enum weir_status discard_open(void *self,
                                     const struct weir_settings *settings,
                                     struct weir_error *err)
{
    (void)self;
    (void)settings;
    (void)err;
    return WEIR_OK;
}

static enum weir_status discard_write(void *self, struct weir_batch *batch,
                                      struct weir_error *err)
{
    (void)self;
    (void)err;
    weir_batch_set_outcome(batch, 0, weir_batch_count(batch), WEIR_OK, NULL);
    return WEIR_OK;
}

static void discard_close(void *self, int64_t deadline_us)
{
    (void)self;
    (void)deadline_us;
}

const struct weir_sink_ops weir_discard_sink = {
    .name = "discard",
    .help = "Takes every message and keeps none, for measurements and tests.",
    .options = discard_options,
    .self_size = 1,
    .is_ordered = true,
    .open = discard_open,
    .write = discard_write,
    .close = discard_close,
};
