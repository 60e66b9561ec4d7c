/*
 * tls_certificate.h - from when to when a certificate holds.
 */
#ifndef WEIR_CLIENTS_TLS_CERTIFICATE_H
#define WEIR_CLIENTS_TLS_CERTIFICATE_H

#include <stdint.h>

#include <weir/finding.h>
#include <weir/status.h>

/* Seconds from now, negative in the past. */
struct tls_certificate {
    int64_t from_s, until_s;
};

/*
 * The one that a server shows, trusted or not; no later than `deadline_us`, but
 * for the name's resolution.  WEIR_RETRY: none, and why.
 */
WEIR_MUST_USE
enum weir_status tls_certificate_ask(const char *host, int port,
                                     int64_t deadline_us,
                                     struct tls_certificate *ret_certificate,
                                     struct weir_error *err);

/* The first one of a PEM file. */
WEIR_MUST_USE
enum weir_status tls_certificate_read(const char *file,
                                      struct tls_certificate *ret_certificate,
                                      struct weir_error *err);

/* Both, as findings; `where` says whose it is. */
void tls_certificate_probe_server(const char *host, int port,
                                  int64_t deadline_us,
                                  struct weir_findings *findings);
void tls_certificate_probe_file(const char *option, const char *file,
                                struct weir_findings *findings);

/* What the dates of the certificate of `where` mean. */
void tls_certificate_judge(const struct tls_certificate *certificate,
                           const char *where, struct weir_findings *findings);

#endif
