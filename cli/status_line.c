/*
 * status_line.c - one live line on the terminal while a pipeline runs.
 *
 *     12,345/s  in flight 1,024  lag 78,901  rejected 3  done 1,234,567
 *
 * Written twice a second, with the cursor left at its beginning.  A log line
 * begins with what clears it, so both share a terminal without a torn line.
 *
 * Threads: its own, which ends by a condition and not by a flag that is looked
 * at now and then, so that the end of a run never waits for half a second.
 */
#include "status_line.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"
#include "figure.h"
#include "log.h"

enum { LINE_SIZE = 256, INTERVAL_US = 500000 };

static const char clear_line[] = "\r\033[K";

struct status_line {
    const struct pipeline *pipeline;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool is_ended;
};

int status_line_format(const struct pipeline_stats *before,
                       const struct pipeline_stats *now, int64_t interval_us,
                       char *out, size_t size)
{
    const uint64_t ended_before =
        before->done + before->rejected + before->abandoned;
    const uint64_t ended = now->done + now->rejected + now->abandoned;
    const uint64_t rate = interval_us > 0 ? (ended - ended_before) *
                                                (uint64_t)CLOCK_SECOND_US /
                                                (uint64_t)interval_us
                                          : 0;
    struct figure figures[5];

    return snprintf(
        out, size, "%s%s/s  in flight %s  lag %s  rejected %s  done %s",
        now->is_draining    ? "draining  "
        : now->is_flooded   ? "stopped, too many fail  "
        : now->is_connected ? ""
                            : "connecting  ",
        figure(&figures[0], rate), figure(&figures[1], now->in_flight),
        now->lag < 0 ? "?" : figure(&figures[2], (uint64_t)now->lag),
        figure(&figures[3], now->rejected), figure(&figures[4], now->done));
}

static unsigned columns(void)
{
    struct winsize window = {.ws_col = 0};

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0)
        return 80;
    return window.ws_col;
}

static void draw(const struct pipeline_stats *before,
                 const struct pipeline_stats *now, int64_t interval_us)
{
    char text[LINE_SIZE];
    char out[LINE_SIZE + sizeof clear_line + 1];

    (void)status_line_format(before, now, interval_us, text, sizeof text);
    const int size = snprintf(out, sizeof out, "%s%.*s\r", clear_line,
                              (int)columns() - 1, text);
    (void)!write(STDERR_FILENO, out, (size_t)size);
}

static void *run(void *opaque)
{
    struct status_line *line = opaque;
    struct pipeline_stats before, now;
    int64_t before_us = clock_now_us();

    pipeline_stats(line->pipeline, &before);
    (void)pthread_mutex_lock(&line->lock);
    while (!line->is_ended) {
        const struct timespec next = clock_timespec(before_us + INTERVAL_US);

        (void)pthread_cond_timedwait(&line->ended, &line->lock, &next);
        const int64_t now_us = clock_now_us();
        if (line->is_ended || now_us - before_us < INTERVAL_US)
            continue;
        pipeline_stats(line->pipeline, &now);
        draw(&before, &now, now_us - before_us);
        before = now;
        before_us = now_us;
    }
    (void)pthread_mutex_unlock(&line->lock);
    return NULL;
}

struct status_line *status_line_start(const struct pipeline *pipeline)
{
    struct status_line *line;

    if (!isatty(STDERR_FILENO))
        return NULL;
    line = calloc(1, sizeof *line);
    if (!line)
        return NULL;
    line->pipeline = pipeline;
    (void)pthread_mutex_init(&line->lock, NULL);
    clock_cond_init(&line->ended);
    log_set_prelude(clear_line);
    if (pthread_create(&line->thread, NULL, run, line) != 0) {
        log_set_prelude(NULL);
        free(line);
        return NULL;
    }
    return line;
}

void status_line_stop(struct status_line *line)
{
    if (!line)
        return;
    (void)pthread_mutex_lock(&line->lock);
    line->is_ended = true;
    (void)pthread_cond_signal(&line->ended);
    (void)pthread_mutex_unlock(&line->lock);
    (void)pthread_join(line->thread, NULL);
    log_set_prelude(NULL);
    (void)!write(STDERR_FILENO, clear_line, strlen(clear_line));
    (void)pthread_cond_destroy(&line->ended);
    (void)pthread_mutex_destroy(&line->lock);
    free(line);
}
