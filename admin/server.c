/*
 * server.c - HTTP connections, by libmicrohttpd.
 *
 * The library reads requests and writes answers; it has no thread of its own
 * here, but is called when its descriptor is ready.  So one thread does all,
 * and what it costs can be measured and limited (allowance.c).
 *
 * What others may use of us is bounded: connections and their time (guests.c),
 * 16 KiB for the head of a request, CALL_BODY_MAX for its body.
 *
 * Who comes waits in the order of coming, with the system, as long as a crowd
 * before him is served.  While anybody waits there, each connection gets one
 * answer: so those that ask without a pause queue up again behind him, and his
 * wait is one answer for each of them, however often they ask.
 *
 * Threads: the admin's.
 */
#include "server.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>

#include "clock.h"
#include "guests.h"
#include "log.h"

enum { HEAD_MAX = 16 * 1024, IDLE_S = 10 };

struct server {
    const struct site *site;
    struct MHD_Daemon *daemon;
    int fd;
    int listener; /* the library's */
    struct guests guests;
    char complaint[200]; /* of the library, the last one */
};

/* The body of one request, while it comes in. */
struct upload {
    size_t size;
    char body[CALL_BODY_MAX + 1];
};

static const struct {
    const char *name, *value;
} headers[] = {
    {"Cache-Control", "no-store"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

/* Of an answer that says nothing else: it may load and run nothing. */
static const char policy[] =
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'";

/* ---- one request ---- */

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static struct guest *guest_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

static void add_headers(struct MHD_Response *response,
                        const struct answer *answer, bool is_last)
{
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        (void)MHD_add_response_header(response, headers[i].name,
                                      headers[i].value);
    (void)MHD_add_response_header(response, "Content-Security-Policy",
                                  answer->policy ? answer->policy : policy);
    if (answer->type)
        (void)MHD_add_response_header(response, "Content-Type", answer->type);
    if (answer->allowed)
        (void)MHD_add_response_header(response, "Allow", answer->allowed);
    if (answer->status == 401)
        (void)MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
    if (is_last)
        (void)MHD_add_response_header(response, "Connection", "close");
}

static bool does_anybody_wait(const struct server *server)
{
    struct pollfd one = {.fd = server->listener, .events = POLLIN};

    return poll(&one, 1, 0) == 1;
}

/* Takes the answer's body. */
static enum MHD_Result queue(const struct server *server,
                             struct MHD_Connection *connection,
                             struct answer *answer)
{
    struct guest *guest = guest_of(connection);
    const bool is_last = !guest || guest->requests + 1 >= GUEST_REQUESTS ||
                         does_anybody_wait(server);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(answer->status > 0 ? answer->size : 0,
                                        answer->body, MHD_RESPMEM_MUST_FREE);
    enum MHD_Result result;

    if (!response) {
        free(answer->body);
        return MHD_NO;
    }
    add_headers(response, answer, is_last);
    result = MHD_queue_response(
        connection, answer->status > 0 ? answer->status : 503, response);
    MHD_destroy_response(response);
    return result;
}

static bool is_too_large(struct MHD_Connection *connection)
{
    const char *length = header(connection, "Content-Length");

    return length && strtoull(length, NULL, 10) > CALL_BODY_MAX;
}

static enum MHD_Result begin(const struct server *server,
                             struct MHD_Connection *connection, void **context)
{
    struct answer answer = {.status = 413, .type = "application/json"};

    if (is_too_large(connection)) {
        answer.body = strdup("{\"error\":\"the body is too large\"}");
        answer.size = answer.body ? strlen(answer.body) : 0;
        return queue(server, connection, &answer);
    }
    *context = calloc(1, sizeof(struct upload));
    return *context ? MHD_YES : MHD_NO;
}

/* MHD_NO: cuts the connection. */
static enum MHD_Result take_in(struct upload *upload, const char *data,
                               size_t *size)
{
    if (*size > CALL_BODY_MAX - upload->size)
        return MHD_NO;
    memcpy(upload->body + upload->size, data, *size);
    upload->size += *size;
    *size = 0;
    return MHD_YES;
}

static enum MHD_Result add_argument(void *opaque, enum MHD_ValueKind kind,
                                    const char *name, const char *value)
{
    struct request *request = opaque;

    (void)kind;
    if (request->argument_count < CALL_ARGUMENTS)
        request->arguments[request->argument_count] =
            (struct call_argument){.name = name, .value = value};
    request->argument_count++;
    return MHD_YES;
}

/* NOLINTNEXTLINE(readability-function-size): its parameters are given. */
static enum MHD_Result on_request(void *opaque,
                                  struct MHD_Connection *connection,
                                  const char *url, const char *method,
                                  const char *version, const char *data,
                                  size_t *size, void **context)
{
    const struct server *server = opaque;
    struct upload *upload = *context;
    struct request request = {.method = method, .path = url};
    struct answer answer;

    (void)version;
    if (!upload)
        return begin(server, connection, context);
    if (*size > 0)
        return take_in(upload, data, size);
    request.host = header(connection, "Host");
    request.authorization = header(connection, "Authorization");
    request.accept = header(connection, "Accept");
    request.body = upload->body;
    request.body_size = upload->size;
    (void)MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND,
                                    add_argument, &request);
    respond(server->site, &request, &answer);
    return queue(server, connection, &answer);
}

static void on_completed(void *opaque, struct MHD_Connection *connection,
                         void **context, enum MHD_RequestTerminationCode code)
{
    struct guest *guest = guest_of(connection);

    (void)opaque;
    (void)code;
    free(*context);
    *context = NULL;
    if (guest)
        (void)guest_answered(guest, clock_now_us());
}

static void on_connection(void *opaque, struct MHD_Connection *connection,
                          void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct server *server = opaque;
    const union MHD_ConnectionInfo *info;

    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*context)
            guest_go(*context);
        return;
    }
    info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    *context = guest_come(&server->guests, info->connect_fd, clock_now_us());
}

/* ---- the server ---- */

WEIR_PRINTF(2, 0)
static void on_complaint(void *opaque, const char *fmt, va_list args)
{
    struct server *server = opaque;

    (void)vsnprintf(server->complaint, sizeof server->complaint, fmt, args);
    server->complaint[strcspn(server->complaint, "\n")] = '\0';
}

static struct MHD_Daemon *start(struct server *server,
                                const struct server_config *config)
{
    char versions[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
    const struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, config->cert},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, config->key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, versions},
        {MHD_OPTION_END, 0, NULL}};
    const struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_EPOLL | MHD_USE_ERROR_LOG;

    if (config->cert)
        flags |= MHD_USE_TLS;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER,
        on_complaint, server, MHD_OPTION_LISTEN_SOCKET, config->fd,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)GUESTS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_MAX,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY,
        config->cert ? tls : none, MHD_OPTION_END);
}

enum weir_status server_open(const struct server_config *config,
                             struct server **ret_server, struct weir_error *err)
{
    struct server *server = calloc(1, sizeof *server);
    const union MHD_DaemonInfo *info;

    if (server) {
        server->site = config->site;
        server->listener = config->fd;
        server->daemon = start(server, config);
    }
    if (!server || !server->daemon) {
        (void)weir_fail(err, WEIR_REJECT, "%s",
                        server && server->complaint[0] ? server->complaint
                                                       : "no memory");
        (void)close(config->fd);
        free(server);
        return WEIR_REJECT;
    }
    info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    server->fd = info->epoll_fd;
    *ret_server = server;
    return WEIR_OK;
}

void server_close(struct server *server)
{
    if (!server)
        return;
    MHD_stop_daemon(server->daemon); /* closes the listening socket, too */
    free(server);
}

int server_fd(const struct server *server)
{
    return server->fd;
}

int server_wait_ms(const struct server *server, int most_ms)
{
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;

    if (MHD_get_timeout(server->daemon, &wait_ms) != MHD_YES)
        return most_ms;
    return wait_ms < (unsigned long long)most_ms ? (int)wait_ms : most_ms;
}

void server_serve(struct server *server, int64_t now_us)
{
    (void)MHD_run(server->daemon);
    guests_trim(&server->guests, now_us);
}
