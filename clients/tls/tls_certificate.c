/*
 * tls_certificate.c - from when to when a certificate holds.
 *
 * The client libraries keep a server's certificate to themselves, and say that
 * it has expired only when it has.  So one handshake of our own looks at it.
 * It accepts everything, since nothing is sent and nobody is believed; what is
 * noted comes from the call in which OpenSSL wants the chain judged, so that a
 * server that then wants a certificate of ours, and ends the handshake, has
 * shown its own.
 *
 * Threads: no state.
 */
#include "tls_certificate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"

enum { DAY_S = 86400, SOON_DAYS = 14, WHERE_SIZE = 300 };

struct note {
    struct tls_certificate certificate;
    bool is_there;
};

/* False: not a date that can be compared. */
static bool seconds_until(const ASN1_TIME *time, int64_t *ret_s)
{
    int days, seconds;

    if (!time || ASN1_TIME_diff(&days, &seconds, NULL, time) != 1)
        return false;
    *ret_s = (int64_t)days * DAY_S + seconds;
    return true;
}

static bool read_dates(const X509 *x509, struct tls_certificate *ret)
{
    return seconds_until(X509_get0_notBefore(x509), &ret->from_s) &&
           seconds_until(X509_get0_notAfter(x509), &ret->until_s);
}

/* OpenSSL's question whether the chain is good. */
static int note_certificate(X509_STORE_CTX *store, void *opaque)
{
    struct note *note = opaque;
    const X509 *x509 = X509_STORE_CTX_get0_cert(store);

    note->is_there = x509 && read_dates(x509, &note->certificate);
    return 1;
}

/* False: not by the deadline. */
static bool wait_for(BIO *connection, int64_t deadline_us)
{
    struct pollfd file = {.fd = -1};

    if (BIO_get_fd(connection, &file.fd) < 0)
        return false;
    file.events = BIO_should_read(connection) ? POLLIN : POLLOUT;
    return poll(&file, 1, clock_until_ms(deadline_us, INT_MAX)) > 0;
}

/* True: connected, and the handshake is over, or as far as it got. */
static bool shake_hands(BIO *connection, struct note *note, int64_t deadline_us)
{
    while (!note->is_there) {
        if (BIO_do_handshake(connection) == 1)
            return true;
        if (!BIO_should_retry(connection))
            return false;
        if (!wait_for(connection, deadline_us))
            return false;
    }
    return true;
}

static void name_target(BIO *connection, const char *host, int port)
{
    const bool is_ipv6 = strchr(host, ':') != NULL;
    unsigned char address[sizeof(struct in6_addr)];
    char target[WHERE_SIZE], name[WHERE_SIZE];
    SSL *ssl = NULL;

    (void)snprintf(target, sizeof target, is_ipv6 ? "[%s]:%d" : "%s:%d", host,
                   port);
    (void)BIO_set_conn_hostname(connection, target);
    (void)BIO_set_nbio(connection, 1);
    (void)BIO_get_ssl(connection, &ssl);
    (void)snprintf(name, sizeof name, "%s", host); /* no const for the macro */
    if (ssl && !is_ipv6 && inet_pton(AF_INET, host, address) != 1)
        (void)SSL_set_tlsext_host_name(ssl, name);
}

enum weir_status tls_certificate_ask(const char *host, int port,
                                     int64_t deadline_us,
                                     struct tls_certificate *ret_certificate,
                                     struct weir_error *err)
{
    struct note note = {.is_there = false};
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    BIO *connection = NULL;

    if (context) {
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_cert_verify_callback(context, note_certificate, &note);
        connection = BIO_new_ssl_connect(context);
    }
    if (connection) {
        name_target(connection, host, port);
        (void)shake_hands(connection, &note, deadline_us);
    }
    BIO_free_all(connection);
    SSL_CTX_free(context);
    ERR_clear_error();
    if (!note.is_there)
        return weir_fail(err, WEIR_RETRY, "no certificate came in time");
    *ret_certificate = note.certificate;
    return WEIR_OK;
}

enum weir_status tls_certificate_read(const char *file,
                                      struct tls_certificate *ret_certificate,
                                      struct weir_error *err)
{
    BIO *text = BIO_new_file(file, "re");
    X509 *x509 = text ? PEM_read_bio_X509(text, NULL, NULL, NULL) : NULL;
    const bool is_read = x509 && read_dates(x509, ret_certificate);

    X509_free(x509);
    BIO_free(text);
    ERR_clear_error();
    if (!is_read)
        return weir_fail(err, WEIR_RETRY,
                         "no certificate in PEM format can be read from it");
    return WEIR_OK;
}

void tls_certificate_judge(const struct tls_certificate *certificate,
                           const char *where, struct weir_findings *findings)
{
    const long long days = certificate->until_s / DAY_S;

    if (certificate->until_s < 0)
        weir_findings_add(findings, WEIR_SEVERITY_ERROR, where, "renew it",
                          "the certificate expired %lld days ago", -days);
    else if (certificate->from_s > 0)
        weir_findings_add(findings, WEIR_SEVERITY_ERROR, where,
                          "check this machine's clock, and the other's",
                          "the certificate isn't valid yet, but in %lld s",
                          (long long)certificate->from_s);
    else if (days < SOON_DAYS)
        weir_findings_add(findings, WEIR_SEVERITY_WARNING, where, "renew it",
                          "the certificate expires in %lld days", days);
    else
        weir_findings_add(findings, WEIR_SEVERITY_OK, where, NULL,
                          "the certificate is valid for %lld more days", days);
}

void tls_certificate_probe_server(const char *host, int port,
                                  int64_t deadline_us,
                                  struct weir_findings *findings)
{
    struct tls_certificate certificate = {.from_s = 0};
    struct weir_error err = {.text = ""};
    char where[WHERE_SIZE];

    (void)snprintf(where, sizeof where, "certificate of %s:%d", host, port);
    if (tls_certificate_ask(host, port, deadline_us, &certificate, &err) ==
        WEIR_OK)
        tls_certificate_judge(&certificate, where, findings);
    else
        weir_findings_add(findings, WEIR_SEVERITY_UNKNOWN, where, NULL, "%s",
                          err.text);
}

void tls_certificate_probe_file(const char *option, const char *file,
                                struct weir_findings *findings)
{
    struct tls_certificate certificate = {.from_s = 0};
    struct weir_error err = {.text = ""};
    char where[WHERE_SIZE];

    (void)snprintf(where, sizeof where, "%s %.250s", option, file);
    if (tls_certificate_read(file, &certificate, &err) == WEIR_OK)
        tls_certificate_judge(&certificate, where, findings);
    else
        weir_findings_add(findings, WEIR_SEVERITY_ERROR, where,
                          "name a file that holds one", "%s", err.text);
}
