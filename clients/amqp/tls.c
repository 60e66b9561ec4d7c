/*
 * tls.c - who a broker must prove to be, and who we are.
 *
 * rabbitmq-c 0.11 verifies after the handshake, reports one code for an unknown
 * issuer and an expired certificate, has no default store of authorities, and
 * refuses every host that is an IP address, also one that the certificate
 * names.  OpenSSL does all of it within the handshake when its context says so,
 * with every version of the library alike, and tells a callback what is wrong.
 * Credentials are sent only afterwards.
 *
 * The library's own writing waits without bound.  So OpenSSL's connection, for
 * which the library has no getter, is noted when the handshake begins, and
 * written to directly.
 *
 * Threads: the connection's own.
 */
#include "tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdint.h>
#include <string.h>

/* Where `verdict` hangs on the context: the application's own slot. */
static int note_verdict(int is_ok, X509_STORE_CTX *store)
{
    if (!is_ok) {
        const SSL *ssl = X509_STORE_CTX_get_ex_data(
            store, SSL_get_ex_data_X509_STORE_CTX_idx());
        struct amqp_verdict *verdict =
            SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

        verdict->error = X509_STORE_CTX_get_error(store);
    }
    return is_ok;
}

static void note_session(const SSL *ssl, int where, int result)
{
    struct amqp_verdict *verdict = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

    (void)where;
    (void)result;
    /* It is the library's, and not const: only this callback's view of it. */
    memcpy(&verdict->session, &ssl, sizeof(ssl));
    SSL_set_info_callback(verdict->session, NULL);
}

static enum weir_status expect_host(SSL_CTX *context, const char *host,
                                    struct weir_error *err)
{
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(context);
    unsigned char address[sizeof(struct in6_addr)];
    int is_set;

    if (inet_pton(AF_INET, host, address) == 1 ||
        inet_pton(AF_INET6, host, address) == 1)
        is_set = X509_VERIFY_PARAM_set1_ip_asc(param, host);
    else
        is_set = X509_VERIFY_PARAM_set1_host(param, host, 0);
    if (is_set != 1)
        return weir_fail(err, WEIR_RETRY, "out of memory for TLS");
    return WEIR_OK;
}

static enum weir_status trust(amqp_socket_t *socket, const struct amqp_tls *tls,
                              struct weir_error *err)
{
    SSL_CTX *context = amqp_ssl_socket_get_context(socket);

    if (!tls->ca && SSL_CTX_set_default_verify_paths(context) != 1)
        return weir_fail(err, WEIR_RETRY,
                         "the system's certificate authorities can't "
                         "be read: name a file with tls.ca");
    if (tls->ca &&
        amqp_ssl_socket_set_cacert(socket, tls->ca) != AMQP_STATUS_OK)
        return weir_fail(err, WEIR_RETRY,
                         "tls.ca %s can't be read, or holds no "
                         "certificate in PEM format",
                         tls->ca);
    return WEIR_OK;
}

/* Without one: OpenSSL itself would ask the terminal. */
static int give_password(char *out, int size, int is_writing, void *opaque)
{
    const char *const *const password = opaque;
    const size_t length = *password ? strlen(*password) : 0;

    (void)is_writing;
    if (length == 0 || length > (size_t)size)
        return -1;
    memcpy(out, *password, length);
    return (int)length;
}

static enum weir_status show_certificate(amqp_socket_t *socket,
                                         const struct amqp_tls *tls,
                                         struct weir_error *err)
{
    SSL_CTX *context = amqp_ssl_socket_get_context(socket);
    const char *password = tls->key_password;
    int rc;

    SSL_CTX_set_default_passwd_cb(context, give_password);
    SSL_CTX_set_default_passwd_cb_userdata(context, &password);
    rc = amqp_ssl_socket_set_key(socket, tls->cert, tls->key);
    SSL_CTX_set_default_passwd_cb_userdata(context, NULL);
    if (rc != AMQP_STATUS_OK)
        return weir_fail(err, WEIR_RETRY,
                         "tls.cert %s and tls.key %s can't be read, don't "
                         "belong together, or tls.key_password is missing or "
                         "wrong",
                         tls->cert, tls->key);
    return WEIR_OK;
}

enum weir_status amqp_tls_prepare(amqp_socket_t *socket, const char *host,
                                  const struct amqp_tls *tls,
                                  struct amqp_verdict *verdict,
                                  struct weir_error *err)
{
    SSL_CTX *context = amqp_ssl_socket_get_context(socket);
    enum weir_status status;

    *verdict = (struct amqp_verdict){.error = 0};
    SSL_CTX_set_app_data(context, verdict);
    SSL_CTX_set_info_callback(context, note_session);
    (void)SSL_CTX_set_mode(context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    amqp_ssl_socket_set_verify_hostname(socket, 0);
    amqp_ssl_socket_set_verify_peer(socket, tls->verify);
    (void)amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2,
                                           AMQP_TLSvLATEST);
    if (tls->verify) {
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, note_verdict);
        status = expect_host(context, host, err);
        if (status != WEIR_OK)
            return status;
        status = trust(socket, tls, err);
        if (status != WEIR_OK)
            return status;
    }
    return tls->cert ? show_certificate(socket, tls, err) : WEIR_OK;
}

const char *amqp_verdict_text(const struct amqp_verdict *verdict)
{
    if (verdict->error == X509_V_OK)
        return NULL;
    return X509_verify_cert_error_string(verdict->error);
}

enum weir_status amqp_tls_write(struct ssl_st *session, const void *bytes,
                                size_t size, size_t *ret_written)
{
    int rc;

    ERR_clear_error();
    rc = SSL_write_ex(session, bytes, size, ret_written);
    if (rc == 1)
        return WEIR_OK;
    rc = SSL_get_error(session, rc);
    if (rc == SSL_ERROR_WANT_WRITE || rc == SSL_ERROR_WANT_READ)
        return WEIR_AGAIN;
    return WEIR_RETRY;
}
