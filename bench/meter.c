/*
 * meter.c - counts, reads and times messages, alike on both sides.
 *
 * The rate is counted from the first message to the last, so what comes before
 * (connecting, joining a group: seconds) is on neither side's account:
 *
 *     first_ns          last_ns
 *        |--64--64--64-----|.. up to 63 that are not counted
 *
 * The clock is read once in 64 messages: it costs as much as a message in
 * memory does.  Several threads print a line each; the one who reads them adds
 * the counts and takes the earliest and the latest time.
 *
 * Threads: a meter belongs to one.
 */
#include "meter.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { STRIDE = 64, FIRST_ROOM = 4096 };

/* What was made earlier may have waited for a connection. */
static const int64_t WARM_UP_NS = INT64_C(5000000000);

int64_t meter_now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static uint64_t read_every_byte(const unsigned char *data, size_t size)
{
    uint64_t sum = 0, word;
    size_t i = 0;

    for (; i + sizeof word <= size; i += sizeof word) {
        memcpy(&word, data + i, sizeof word);
        sum += word;
    }
    for (; i < size; i++)
        sum += data[i];
    return sum;
}

static void note_latency(struct meter *meter, const void *data)
{
    int64_t made_ns;

    memcpy(&made_ns, data, sizeof made_ns);
    if (meter->first_made_ns == 0)
        meter->first_made_ns = made_ns;
    if (made_ns - meter->first_made_ns < WARM_UP_NS)
        return;
    if (meter->latency_count == meter->latency_room) {
        const size_t room =
            meter->latency_room > 0 ? 2 * meter->latency_room : FIRST_ROOM;
        uint32_t *more = realloc(meter->latency_us, room * sizeof *more);

        if (!more)
            return;
        meter->latency_us = more;
        meter->latency_room = room;
    }
    meter->latency_us[meter->latency_count++] =
        (uint32_t)((meter->last_ns - made_ns) / 1000);
}

void meter_handle(struct meter *meter, const void *data, size_t size)
{
    meter->sum += read_every_byte(data, size);
    if (meter->count++ % STRIDE == 0 || meter->has_latency) {
        meter->last_ns = meter_now_ns();
        meter->counted_last = meter->count;
        if (meter->count == 1)
            meter->first_ns = meter->last_ns;
        if (meter->has_latency && size >= sizeof(int64_t))
            note_latency(meter, data);
    }
}

static void print_line(const struct meter *meter, FILE *text)
{
    (void)fprintf(text,
                  "{\"count\": %" PRIu64 ", \"sum\": %" PRIu64
                  ", \"first_ns\": %" PRId64 ", \"last_ns\": %" PRId64
                  ", \"counted\": %" PRIu64 ", \"latency_us\": [",
                  meter->count, meter->sum, meter->first_ns, meter->last_ns,
                  meter->counted_last);
    for (size_t i = 0; i < meter->latency_count; i++)
        (void)fprintf(text, "%s%" PRIu32, i > 0 ? ", " : "",
                      meter->latency_us[i]);
    (void)fprintf(text, "]}\n");
}

void meter_finish(struct meter *meter, const char *path)
{
    char *line = NULL;
    size_t size = 0;
    FILE *text = open_memstream(&line, &size);
    const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

    if (text) {
        print_line(meter, text);
        (void)fclose(text);
    }
    if (!line || fd < 0 || write(fd, line, size) != (ssize_t)size)
        perror(path);
    if (fd >= 0)
        (void)close(fd);
    free(line);
    free(meter->latency_us);
    meter->latency_us = NULL;
}
