/*
 * url.c - where an AMQP broker is: amqp://user:password@host:port/vhost.
 *
 * The library's own amqp_parse_url() writes into its argument, takes
 * "amqp://h/" for the vhost "" (which no broker has), and answers BAD_URL to an
 * upper-case scheme, a query or an escaped byte above 0x7f.  So the text is
 * split here:
 *
 *     amqps://user:password@[::1]:5671/vhost
 *     scheme  userinfo      host  port vhost
 *
 * Each part is cut out before its escapes are undone, so an escaped ':', '@' or
 * '/' is part of a name.  A slash inside the vhost must be escaped: "/a/b" is
 * more often a mistake than a vhost called "a/b".
 *
 * Threads: no state.
 */
#include "url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct span {
    const char *start, *end;
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* One character of `text`, its escape undone; 0: a broken escape or a NUL. */
static unsigned char decode_one(struct span *text)
{
    int high, low;

    if (*text->start != '%')
        return (unsigned char)*text->start++;
    if (text->end - text->start < 3)
        return 0;
    high = hex_digit(text->start[1]);
    low = hex_digit(text->start[2]);
    text->start += 3;
    return high < 0 || low < 0 ? 0 : (unsigned char)(high * 16 + low);
}

static enum weir_status decode(struct span text, const char *what, char **ret,
                               struct weir_error *err)
{
    char *out = malloc((size_t)(text.end - text.start) + 1);
    size_t used = 0;

    if (!out)
        return weir_fail(err, WEIR_RETRY, "out of memory");
    while (text.start < text.end) {
        const unsigned char c = decode_one(&text);

        if (c == 0) {
            free(out);
            return weir_fail(err, WEIR_REJECT,
                             "the %s has a broken %%-escape: write %%XX with "
                             "two hexadecimal digits, and %%25 for %% itself",
                             what);
        }
        out[used++] = (char)c;
    }
    out[used] = '\0';
    *ret = out;
    return WEIR_OK;
}

static enum weir_status decode_or(struct span text, const char *fallback,
                                  const char *what, char **ret,
                                  struct weir_error *err)
{
    if (text.start == text.end)
        text = (struct span){fallback, fallback + strlen(fallback)};
    return decode(text, what, ret, err);
}

static enum weir_status parse_scheme(struct span *rest, struct amqp_url *url,
                                     struct weir_error *err)
{
    if (strncasecmp(rest->start, "amqps://", 8) == 0) {
        url->is_tls = true;
        rest->start += 8;
        return WEIR_OK;
    }
    if (strncasecmp(rest->start, "amqp://", 7) == 0) {
        rest->start += 7;
        return WEIR_OK;
    }
    return weir_fail(err, WEIR_REJECT,
                     "it must start with amqp:// or amqps:// (TLS)");
}

static enum weir_status parse_userinfo(struct span text, struct amqp_url *url,
                                       struct weir_error *err)
{
    const char *colon =
        memchr(text.start, ':', (size_t)(text.end - text.start));
    struct span user = {text.start, colon ? colon : text.end};
    struct span password = {colon ? colon + 1 : text.end, text.end};
    enum weir_status status;

    if (text.start < text.end && user.start == user.end)
        return weir_fail(err, WEIR_REJECT, "there is no user before the ':'");
    status = decode_or(user, "guest", "user", &url->user, err);
    if (status != WEIR_OK)
        return status;
    if (colon)
        return decode(password, "password", &url->password, err);
    return decode_or(password, text.start < text.end ? "" : "guest", "password",
                     &url->password, err);
}

static enum weir_status parse_port(struct span text, struct amqp_url *url,
                                   struct weir_error *err)
{
    int port = 0;

    if (text.start == text.end) {
        url->port = url->is_tls ? 5671 : 5672;
        return WEIR_OK;
    }
    text.start++; /* the colon */
    for (; text.start < text.end && port <= 65535; text.start++) {
        if (*text.start < '0' || *text.start > '9')
            break;
        port = port * 10 + (*text.start - '0');
    }
    if (text.start < text.end || port < 1 || port > 65535)
        return weir_fail(err, WEIR_REJECT,
                         "the port must be a number from 1 to 65535");
    url->port = port;
    return WEIR_OK;
}

static enum weir_status parse_host(struct span text, struct amqp_url *url,
                                   struct weir_error *err)
{
    struct span host = text, port = {text.end, text.end};
    enum weir_status status;
    const char *end;

    if (text.start < text.end && *text.start == '[') {
        end = memchr(text.start, ']', (size_t)(text.end - text.start));
        if (!end || (end + 1 < text.end && end[1] != ':'))
            return weir_fail(err, WEIR_REJECT,
                             "an IPv6 address is written [address]:port");
        host = (struct span){text.start + 1, end};
        port.start = end + 1;
    } else {
        end = memchr(text.start, ':', (size_t)(text.end - text.start));
        if (end) {
            host.end = end;
            port.start = end;
        }
    }
    if (host.start == host.end)
        return weir_fail(err, WEIR_REJECT, "there is no host");
    status = parse_port(port, url, err);
    if (status != WEIR_OK)
        return status;
    return decode(host, "host", &url->host, err);
}

static enum weir_status parse_vhost(struct span text, struct amqp_url *url,
                                    struct weir_error *err)
{
    if (text.start < text.end)
        text.start++; /* the slash */
    if (memchr(text.start, '/', (size_t)(text.end - text.start)))
        return weir_fail(err, WEIR_REJECT,
                         "a slash inside the vhost is written %%2f");
    return decode_or(text, "/", "vhost", &url->vhost, err);
}

static enum weir_status parse(struct span rest, struct amqp_url *url,
                              struct weir_error *err)
{
    enum weir_status status = parse_scheme(&rest, url, err);
    const char *slash, *at;

    if (status != WEIR_OK)
        return status;
    if (strpbrk(rest.start, "?#"))
        return weir_fail(err, WEIR_REJECT,
                         "parameters are not part of it: heartbeat and tls "
                         "are options of their own; a literal '?' is %%3f, "
                         "'#' is %%23");
    slash = memchr(rest.start, '/', (size_t)(rest.end - rest.start));
    if (!slash)
        slash = rest.end;
    at = memchr(rest.start, '@', (size_t)(slash - rest.start));
    if (at && memchr(at + 1, '@', (size_t)(slash - at - 1)))
        return weir_fail(err, WEIR_REJECT,
                         "a literal '@' in user or password is written %%40");
    if (!at && strchr(slash, '@'))
        return weir_fail(err, WEIR_REJECT,
                         "a '/' in user or password is written %%2f");
    status = parse_userinfo((struct span){rest.start, at ? at : rest.start},
                            url, err);
    if (status != WEIR_OK)
        return status;
    status =
        parse_host((struct span){at ? at + 1 : rest.start, slash}, url, err);
    if (status != WEIR_OK)
        return status;
    return parse_vhost((struct span){slash, rest.end}, url, err);
}

enum weir_status amqp_url_parse(const char *text, struct amqp_url *ret_url,
                                struct weir_error *err)
{
    struct amqp_url url = {.host = NULL};
    const enum weir_status status =
        parse((struct span){text, text + strlen(text)}, &url, err);

    if (status != WEIR_OK) {
        amqp_url_finish(&url);
        return status;
    }
    *ret_url = url;
    return WEIR_OK;
}

void amqp_url_finish(struct amqp_url *url)
{
    if (url->password)
        explicit_bzero(url->password, strlen(url->password));
    free(url->host);
    free(url->user);
    free(url->password);
    free(url->vhost);
    *url = (struct amqp_url){.host = NULL};
}
