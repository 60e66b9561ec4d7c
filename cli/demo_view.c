/*
 * demo_view.c - what the demo shows while it runs.
 *
 *     14:02 broker goes down for 3 seconds          <- lines that stay
 *
 *       Kafka (embedded) -> access_log -> witness     7 s of 15 s
 *       broker      down
 *       sent        7,012      0/s                    <- redrawn in place
 *       ...
 *
 * The cursor rests below the block; drawing begins by going up over it.  On a
 * terminal log lines would tear it, so the last one is shown inside instead.
 *
 * Threads: one draws; the log callback may come from any, and only copies its
 * line under the lock.
 */
#include "demo_view.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "figure.h"
#include "log.h"

enum {
    ROWS = 7,
    LOG_SIZE = 160,
    TERMINAL_INTERVAL_US = 250000,
    PLAIN_INTERVAL_US = 1000000,
    BAR_WIDTH = 30
};

struct demo_view {
    FILE *out;
    bool is_terminal, is_drawn;
    int64_t shown_us;
    struct demo_sight before;
    pthread_mutex_t lock;
    char log[LOG_SIZE]; /* the last line, under `lock` */
};

static void keep_log(void *opaque, enum weir_log_level level, const char *line)
{
    struct demo_view *view = opaque;

    (void)pthread_mutex_lock(&view->lock);
    (void)snprintf(view->log, sizeof view->log, "%s: %.140s",
                   log_level_name(level), line);
    (void)pthread_mutex_unlock(&view->lock);
}

struct demo_view *demo_view_create(FILE *out, bool is_terminal)
{
    struct demo_view *view = calloc(1, sizeof *view);

    if (!view)
        return NULL;
    view->out = out;
    view->is_terminal = is_terminal;
    (void)pthread_mutex_init(&view->lock, NULL);
    if (is_terminal)
        log_set_callback(keep_log, view);
    return view;
}

void demo_view_destroy(struct demo_view *view)
{
    if (!view)
        return;
    if (view->is_terminal)
        log_set_callback(NULL, NULL);
    (void)pthread_mutex_destroy(&view->lock);
    free(view);
}

/* Takes the block away, so that a line can stand in its place. */
static void clear_block(struct demo_view *view)
{
    if (view->is_drawn)
        (void)fprintf(view->out, "\033[%dA\033[J", ROWS);
    view->is_drawn = false;
}

void demo_view_say(struct demo_view *view, const char *fmt, ...)
{
    va_list args;

    clear_block(view);
    va_start(args, fmt);
    (void)vfprintf(view->out, fmt, args);
    va_end(args);
    (void)fputc('\n', view->out);
    (void)fflush(view->out);
}

static uint64_t rate(uint64_t before, uint64_t now, int64_t interval_us)
{
    if (interval_us <= 0)
        return 0;
    return (now - before) * (uint64_t)CLOCK_SECOND_US / (uint64_t)interval_us;
}

static void row(const struct demo_view *view, const char *name, uint64_t before,
                uint64_t now, int64_t interval_us)
{
    struct figure total, speed;

    (void)fprintf(view->out, "  %-12s %10s %9s/s\033[K\n", name,
                  figure(&total, now),
                  figure(&speed, rate(before, now, interval_us)));
}

static void draw_bar(const struct demo_view *view,
                     const struct demo_sight *sight)
{
    const int64_t length_us = sight->length_us > 0 ? sight->length_us : 1;
    const int64_t share = sight->elapsed_us * BAR_WIDTH / length_us;
    const int filled = share > BAR_WIDTH ? BAR_WIDTH : (int)share;

    (void)fprintf(view->out, "  [%.*s%*s] %d s of %d s\033[K\n", filled,
                  "##############################", BAR_WIDTH - filled, "",
                  (int)(sight->elapsed_us / CLOCK_SECOND_US),
                  (int)(sight->length_us / CLOCK_SECOND_US));
}

static const char *broker_state(const struct demo_sight *sight)
{
    if (!sight->is_broker_up)
        return "down";
    return sight->is_started ? "up" : "up, the consumer group is forming";
}

static void draw_block(struct demo_view *view, const struct demo_sight *sight,
                       int64_t interval_us)
{
    const struct demo_sight *before = &view->before;
    struct figure in_flight;

    clear_block(view);
    draw_bar(view, sight);
    (void)fprintf(view->out, "  %-12s %s\033[K\n", "broker",
                  broker_state(sight));
    row(view, "sent", before->sent, sight->sent, interval_us);
    row(view, "delivered", before->delivered, sight->delivered, interval_us);
    row(view, "rejected", before->rejected, sight->rejected, interval_us);
    (void)fprintf(view->out, "  %-12s %10s\033[K\n", "in flight",
                  figure(&in_flight, sight->in_flight));
    (void)pthread_mutex_lock(&view->lock);
    (void)fprintf(view->out, "  %.76s\033[K\n", view->log);
    (void)pthread_mutex_unlock(&view->lock);
    view->is_drawn = true;
}

static void print_plain(const struct demo_view *view,
                        const struct demo_sight *sight)
{
    struct figure figures[4];

    (void)fprintf(view->out,
                  "%3d s  sent %s  delivered %s  rejected %s  in flight %s  "
                  "broker %s\n",
                  (int)(sight->elapsed_us / CLOCK_SECOND_US),
                  figure(&figures[0], sight->sent),
                  figure(&figures[1], sight->delivered),
                  figure(&figures[2], sight->rejected),
                  figure(&figures[3], sight->in_flight), broker_state(sight));
}

void demo_view_show(struct demo_view *view, const struct demo_sight *sight)
{
    const int64_t now_us = clock_now_us();
    const int64_t interval_us =
        view->is_terminal ? TERMINAL_INTERVAL_US : PLAIN_INTERVAL_US;

    if (view->shown_us != 0 && now_us - view->shown_us < interval_us)
        return;
    if (view->is_terminal)
        draw_block(view, sight, view->shown_us ? now_us - view->shown_us : 0);
    else
        print_plain(view, sight);
    (void)fflush(view->out);
    view->before = *sight;
    view->shown_us = now_us;
}
