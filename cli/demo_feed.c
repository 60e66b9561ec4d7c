/*
 * demo_feed.c - access log lines for the demo, some of them broken.
 *
 * A line is a pure function of its id, so nothing has to be remembered to know
 * what became of it.
 *
 * Threads: any.
 */
#include "demo_feed.h"

#include <inttypes.h>
#include <stdio.h>

#include "hash.h"

/* One line in so many is cut off. */
enum { BROKEN_EVERY = 50, FIRST_BROKEN = 17 };

static const char *const methods[] = {"GET", "GET", "GET", "POST"};
static const char *const paths[] = {"/", "/orders", "/images/weir.png",
                                    "/search?q=\\\"water\\\"", "/health"};
static const unsigned statuses[] = {200, 200, 200, 200, 304, 404, 201, 500};
static const char *const agents[] = {
    "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0",
    "curl/7.88.1",
    "Googlebot/2.1 (+http://www.google.com/bot.html)",
};

#define PICK(list, number) ((list)[(number) % (sizeof(list) / sizeof *(list))])

bool demo_feed_is_broken(uint64_t id)
{
    return id % BROKEN_EVERY == FIRST_BROKEN;
}

size_t demo_feed_line(uint64_t id, char *out)
{
    const uint64_t chance = hash_bytes(&id, sizeof id, 0);
    const int size =
        snprintf(out, DEMO_FEED_LINE_MAX,
                 "192.0.2.%u - - [17/May/2015:%02u:%02u:%02u +0000] "
                 "\"%s %s HTTP/1.1\" %u %u \"-\" \"%s\"",
                 (unsigned)(chance % 254 + 1), (unsigned)(id / 3600 % 24),
                 (unsigned)(id / 60 % 60), (unsigned)(id % 60),
                 PICK(methods, chance >> 8), PICK(paths, chance >> 16),
                 PICK(statuses, chance >> 24),
                 (unsigned)(chance >> 32 & 0xffff), PICK(agents, chance >> 48));

    if (!demo_feed_is_broken(id))
        return (size_t)size;
    return (size_t)size / 2;
}

#undef PICK
