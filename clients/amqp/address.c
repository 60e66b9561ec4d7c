/*
 * address.c - where a broker is and how it is reached, as a topology says it.
 *
 * Threads: no state.
 */
#include "address.h"

#include <stdbool.h>

#include <weir/share.h>

#include "clock.h"
#include "url.h"

const struct weir_option amqp_tls_options[] = {
    {.name = "ca",
     .type = WEIR_OPTION_PATH,
     .help = "Authorities that may vouch for the broker, as PEM; the system's "
             "when left out."},
    {.name = "cert",
     .type = WEIR_OPTION_PATH,
     .help = "The certificate that we show, as PEM."},
    {.name = "key",
     .type = WEIR_OPTION_PATH,
     .help = "The private key of `cert`, as PEM."},
    {.name = "key_password",
     .type = WEIR_OPTION_STRING,
     .flags = WEIR_OPTION_SECRET,
     .help = "Password of the private key."},
    {.name = "verify",
     .type = WEIR_OPTION_BOOL,
     .fallback = "true",
     .help = "Whether the broker must prove who it is."},
    {.name = NULL}};

static void check_urls(const struct weir_settings *settings)
{
    const size_t count = weir_settings_count(settings, "url");
    bool has_tls = false;

    for (size_t i = 0; i < count; i++) {
        struct amqp_url url = {.host = NULL};
        struct weir_error err = {.text = ""};

        if (amqp_url_parse(weir_settings_item(settings, "url", i), &url,
                           &err) != WEIR_OK)
            weir_settings_refuse(settings, "url",
                                 "URL %zu of %zu can't be used: %s", i + 1,
                                 count, err.text);
        has_tls = has_tls || url.is_tls;
        amqp_url_finish(&url);
    }
    if (weir_settings_has(settings, "url") && count == 0)
        weir_settings_refuse(settings, "url", "there is none");
    if (weir_settings_has(settings, "tls") && count > 0 && !has_tls)
        weir_settings_warn(settings, "tls",
                           "no URL uses TLS: write amqps:// for it");
}

static void check_tls(const struct weir_settings *settings)
{
    const bool has_cert = weir_settings_string(settings, "tls.cert");
    const bool has_key = weir_settings_string(settings, "tls.key");

    if (has_cert != has_key)
        weir_settings_refuse(settings, has_cert ? "tls.cert" : "tls.key",
                             "tls.cert and tls.key are given together");
    if (!weir_settings_bool(settings, "tls.verify", true))
        weir_settings_warn(settings, "tls.verify",
                           "anyone can pretend to be the broker");
}

void amqp_address_check(const struct weir_settings *settings)
{
    check_urls(settings);
    check_tls(settings);
}

enum weir_status amqp_address_url(const struct weir_settings *settings,
                                  size_t attempt, struct amqp_url *ret_url,
                                  struct weir_error *err)
{
    const size_t count = weir_settings_count(settings, "url");

    return amqp_url_parse(weir_settings_item(settings, "url", attempt % count),
                          ret_url, err);
}

struct amqp_link_options amqp_address_options(
    const struct weir_settings *settings)
{
    const int64_t heartbeat_us =
        weir_settings_int(settings, "heartbeat", 10 * CLOCK_SECOND_US);

    return (struct amqp_link_options){
        .name = weir_settings_share(settings)->pipeline,
        .heartbeat_s = (int)(heartbeat_us / CLOCK_SECOND_US),
        .tls = {.ca = weir_settings_string(settings, "tls.ca"),
                .cert = weir_settings_string(settings, "tls.cert"),
                .key = weir_settings_string(settings, "tls.key"),
                .key_password =
                    weir_settings_string(settings, "tls.key_password"),
                .verify = weir_settings_bool(settings, "tls.verify", true)}};
}
