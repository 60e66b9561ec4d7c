/*
 * endpoint.c - an address and a port.
 *
 * Threads: any; nothing is kept.
 */
#include "endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PORT_MAX = 65535 };

/* -1: it is none. */
static long parse_port(const char *text)
{
    char *end;
    long port;

    if (text[0] < '0' || text[0] > '9' || strlen(text) > 5)
        return -1;
    port = strtol(text, &end, 10);
    return *end == '\0' && port <= PORT_MAX ? port : -1;
}

/* "127.0.0.1", "::1"; false: it is none. */
static bool set_host(struct endpoint *endpoint, const char *host,
                     in_port_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = port};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = port};

    *endpoint = (struct endpoint){.size = sizeof v4};
    if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
        memcpy(&endpoint->address, &v4, sizeof v4);
        return true;
    }
    if (inet_pton(AF_INET6, host, &v6.sin6_addr) != 1)
        return false;
    endpoint->size = sizeof v6;
    memcpy(&endpoint->address, &v6, sizeof v6);
    return true;
}

/* The part before the port, without the brackets of an IPv6 address. */
static bool copy_host(const char *text, const char *end, char *host,
                      size_t host_size)
{
    const bool is_bracketed = text[0] == '[' && end > text && end[-1] == ']';
    const char *first = is_bracketed ? text + 1 : text;
    const size_t size = (size_t)(end - first) - (is_bracketed ? 1 : 0);

    if (size >= host_size || (memchr(first, ':', size) != NULL) != is_bracketed)
        return false;
    memcpy(host, first, size);
    host[size] = '\0';
    return true;
}

enum weir_status endpoint_parse(const char *text, struct endpoint *ret_endpoint,
                                struct weir_error *err)
{
    const char *colon = strrchr(text, ':');
    const long port = parse_port(colon ? colon + 1 : text);
    struct endpoint endpoint;
    char host[ENDPOINT_TEXT_SIZE] = "";

    if (port < 0 || (colon && !copy_host(text, colon, host, sizeof host)))
        return weir_fail(err, WEIR_REJECT,
                         "`%s` is no address and port, as in 127.0.0.1:9464 or "
                         "[::1]:9464",
                         text);
    if (host[0] == '\0' || strcmp(host, "localhost") == 0)
        (void)snprintf(host, sizeof host, "127.0.0.1");
    if (!set_host(&endpoint, host, htons((in_port_t)port)))
        return weir_fail(err, WEIR_REJECT,
                         "`%s` is no numeric address: write it as in "
                         "127.0.0.1:9464 or [::1]:9464",
                         text);
    *ret_endpoint = endpoint;
    return WEIR_OK;
}

enum weir_status endpoint_split(const char *text,
                                struct endpoint_name *ret_name,
                                struct weir_error *err)
{
    const char *colon = strrchr(text, ':');
    const long port = colon ? parse_port(colon + 1) : -1;
    struct endpoint_name name = {.host = ""};
    struct endpoint address;

    if (port < 1 || !copy_host(text, colon, name.host, sizeof name.host) ||
        name.host[0] == '\0' || name.host[strcspn(name.host, " /@\t\r\n")])
        return weir_fail(err, WEIR_REJECT,
                         "`%s` is no host and port, as in localhost:8125 or "
                         "[::1]:8125",
                         text);
    (void)snprintf(name.port, sizeof name.port, "%hu", (unsigned short)port);
    name.is_numeric = set_host(&address, name.host, 0);
    *ret_name = name;
    return WEIR_OK;
}

bool endpoint_is_loopback(const struct endpoint *endpoint)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (endpoint->address.ss_family == AF_INET) {
        memcpy(&v4, &endpoint->address, sizeof v4);
        return ntohl(v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    memcpy(&v6, &endpoint->address, sizeof v6);
    return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

unsigned endpoint_port(const struct endpoint *endpoint)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (endpoint->address.ss_family == AF_INET) {
        memcpy(&v4, &endpoint->address, sizeof v4);
        return ntohs(v4.sin_port);
    }
    memcpy(&v6, &endpoint->address, sizeof v6);
    return ntohs(v6.sin6_port);
}

void endpoint_format(const struct endpoint *endpoint,
                     char out[ENDPOINT_TEXT_SIZE])
{
    const bool is_v4 = endpoint->address.ss_family == AF_INET;
    char host[ENDPOINT_TEXT_SIZE] = "";
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    memcpy(&v4, &endpoint->address, sizeof v4);
    memcpy(&v6, &endpoint->address, sizeof v6);
    if (is_v4)
        (void)inet_ntop(AF_INET, &v4.sin_addr, host, sizeof host);
    else
        (void)inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof host);
    (void)snprintf(out, ENDPOINT_TEXT_SIZE, is_v4 ? "%s:%u" : "[%s]:%u", host,
                   endpoint_port(endpoint));
}
