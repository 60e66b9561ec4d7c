/*
 * kafka_conf.c - a librdkafka configuration, made from settings.
 *
 * Three owners share one configuration, and the order in which they write is
 * the rule: what weir prefers, then what the user says, then what weir's
 * promises rest on.  A property of the last kind never gets as far as here:
 * check() refused it by name.
 *
 * check() tries every property on a scratch configuration, so that librdkafka
 * itself says what it doesn't know, long before anything connects.
 *
 * Threads: none of its own; nothing is kept.
 */
#include "kafka_conf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weir/share.h>

#include "kafka_generation.h"
#include "kafka_property.h"

enum { WHY_SIZE = 200, PATH_SIZE = 160 };

const struct weir_option kafka_tls_options[] = {
    {.name = "ca",
     .type = WEIR_OPTION_PATH,
     .help = "Certificates (PEM) that the brokers' are checked against; the "
             "system's when absent."},
    {.name = "cert",
     .type = WEIR_OPTION_PATH,
     .help = "Our own certificate (PEM), for brokers that ask for one."},
    {.name = "key", .type = WEIR_OPTION_PATH, .help = "Its private key (PEM)."},
    {.name = "key_password",
     .type = WEIR_OPTION_STRING,
     .flags = WEIR_OPTION_SECRET,
     .help = "Password of the private key."},
    {.name = "verify",
     .type = WEIR_OPTION_BOOL,
     .fallback = "true",
     .help = "Check the brokers' certificates and host names."},
    {0},
};

const struct weir_option kafka_sasl_options[] = {
    {.name = "mechanism",
     .type = WEIR_OPTION_CHOICE,
     .fallback = "SCRAM-SHA-512",
     .choices = "PLAIN|SCRAM-SHA-256|SCRAM-SHA-512|GSSAPI|OAUTHBEARER",
     .help = "How weir proves who it is."},
    {.name = "username", .type = WEIR_OPTION_STRING, .help = "User name."},
    {.name = "password",
     .type = WEIR_OPTION_STRING,
     .flags = WEIR_OPTION_SECRET,
     .help = "Password."},
    {0},
};

/* A setting of ours, and the property that it becomes. */
static const struct {
    const char *path, *property;
} security[] = {
    {"tls.ca", "ssl.ca.location"},
    {"tls.cert", "ssl.certificate.location"},
    {"tls.key", "ssl.key.location"},
    {"tls.key_password", "ssl.key.password"},
    {"sasl.username", "sasl.username"},
    {"sasl.password", "sasl.password"},
};

static const char *const tls_files[] = {"tls.ca", "tls.cert", "tls.key"};

static bool is_password_mechanism(const char *mechanism)
{
    return strcmp(mechanism, "PLAIN") == 0 ||
           strncmp(mechanism, "SCRAM-", 6) == 0;
}

static void check_files(const struct weir_settings *settings)
{
    for (size_t i = 0; i < sizeof tls_files / sizeof tls_files[0]; i++) {
        const char *path = weir_settings_string(settings, tls_files[i]);

        if (path && access(path, R_OK) != 0)
            weir_settings_refuse(settings, tls_files[i],
                                 "the file '%s' can't be read: %s", path,
                                 strerror(errno));
    }
    if (weir_settings_has(settings, "tls.cert") !=
        weir_settings_has(settings, "tls.key"))
        weir_settings_refuse(settings, "tls",
                             "`cert` and `key` belong together: give both, or "
                             "neither");
}

static void check_sasl(const struct weir_settings *settings)
{
    const char *mechanism = weir_settings_string(settings, "sasl.mechanism");

    if (!weir_settings_has(settings, "sasl") || !mechanism ||
        !is_password_mechanism(mechanism))
        return;
    if (!weir_settings_has(settings, "sasl.username") ||
        !weir_settings_has(settings, "sasl.password"))
        weir_settings_refuse(settings, "sasl",
                             "%s needs `username` and `password`", mechanism);
}

/* What librdkafka has against it, or NULL; `why` is room for its words. */
static const char *property_refusal(rd_kafka_conf_t *scratch,
                                    enum kafka_role role, const char *name,
                                    const char *value, char *why)
{
    const char *refusal = kafka_property_refusal(name, role);

    if (refusal)
        return refusal;
    if (rd_kafka_conf_set(scratch, name, value, why, WHY_SIZE) ==
        RD_KAFKA_CONF_OK)
        return NULL;
    return kafka_property_is_secret(name) ? "librdkafka refuses its value"
                                          : why;
}

static void check_properties(const struct weir_settings *settings,
                             enum kafka_role role)
{
    const size_t count = weir_settings_count(settings, "properties");
    rd_kafka_conf_t *scratch = rd_kafka_conf_new();

    for (size_t i = 0; i < count; i++) {
        const char *name = weir_settings_key(settings, "properties", i);
        const char *value = weir_settings_item(settings, "properties", i);
        char why[WHY_SIZE], path[PATH_SIZE];
        const char *refusal = property_refusal(scratch, role, name, value, why);

        if (!refusal)
            continue;
        (void)snprintf(path, sizeof path, "properties.%s", name);
        weir_settings_refuse(settings, path, "'%s': %s", name, refusal);
    }
    rd_kafka_conf_destroy(scratch);
}

void kafka_conf_check(const struct weir_settings *settings,
                      enum kafka_role role)
{
    check_files(settings);
    check_sasl(settings);
    check_properties(settings, role);
}

static enum weir_status set(rd_kafka_conf_t *conf, const char *name,
                            const char *value, struct weir_error *err)
{
    char why[WHY_SIZE];

    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) ==
        RD_KAFKA_CONF_OK)
        return WEIR_OK;
    if (kafka_property_is_secret(name))
        return weir_fail(err, WEIR_FATAL, "librdkafka refuses the value of %s",
                         name);
    return weir_fail(err, WEIR_FATAL, "%s", why);
}

static enum weir_status set_all(rd_kafka_conf_t *conf,
                                const struct kafka_value *values,
                                struct weir_error *err)
{
    enum weir_status status = WEIR_OK;

    for (; values->name && status == WEIR_OK; values++)
        status = set(conf, values->name, values->value, err);
    return status;
}

static enum weir_status set_security(rd_kafka_conf_t *conf,
                                     const struct weir_settings *settings,
                                     struct weir_error *err)
{
    const bool has_tls = weir_settings_has(settings, "tls");
    const bool has_sasl = weir_settings_has(settings, "sasl");
    const char *const protocols[2][2] = {{"plaintext", "sasl_plaintext"},
                                         {"ssl", "sasl_ssl"}};
    enum weir_status status =
        set(conf, "security.protocol", protocols[has_tls][has_sasl], err);

    for (size_t i = 0; i < sizeof security / sizeof security[0]; i++) {
        const char *value = weir_settings_string(settings, security[i].path);

        if (value && status == WEIR_OK)
            status = set(conf, security[i].property, value, err);
    }
    if (has_sasl && status == WEIR_OK)
        status = set(conf, "sasl.mechanism",
                     weir_settings_string(settings, "sasl.mechanism"), err);
    if (has_tls && status == WEIR_OK &&
        !weir_settings_bool(settings, "tls.verify", true))
        status = set(conf, "enable.ssl.certificate.verification", "false", err);
    return status;
}

static enum weir_status set_brokers(rd_kafka_conf_t *conf,
                                    const struct weir_settings *settings,
                                    struct weir_error *err)
{
    const size_t count = weir_settings_count(settings, "brokers");
    char list[2000];
    size_t used = 0;

    for (size_t i = 0; i < count && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
                                 i > 0 ? "," : "",
                                 weir_settings_item(settings, "brokers", i));
    if (used >= sizeof list)
        return weir_fail(err, WEIR_FATAL, "too many brokers are listed");
    return set(conf, "bootstrap.servers", list, err);
}

static enum weir_status set_properties(rd_kafka_conf_t *conf,
                                       const struct weir_settings *settings,
                                       struct weir_error *err)
{
    const size_t count = weir_settings_count(settings, "properties");
    enum weir_status status = WEIR_OK;

    for (size_t i = 0; i < count && status == WEIR_OK; i++)
        status = set(conf, weir_settings_key(settings, "properties", i),
                     weir_settings_item(settings, "properties", i), err);
    return status;
}

enum weir_status kafka_conf_build(const struct weir_settings *settings,
                                  enum kafka_role role,
                                  const struct kafka_value *defaults,
                                  const struct kafka_value *fixed,
                                  rd_kafka_conf_t **ret_conf,
                                  struct weir_error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    enum weir_status status = WEIR_OK;

    if (role == KAFKA_READS)
        status = set_all(conf, kafka_generation_values(), err);
    if (status == WEIR_OK)
        status = set_all(conf, defaults, err);
    if (status == WEIR_OK)
        status = set_brokers(conf, settings, err);
    if (status == WEIR_OK)
        status = set_security(conf, settings, err);
    if (status == WEIR_OK)
        status = set_properties(conf, settings, err);
    if (status == WEIR_OK)
        status = set_all(conf, fixed, err);
    if (status != WEIR_OK) {
        rd_kafka_conf_destroy(conf);
        return status;
    }
    *ret_conf = conf;
    return WEIR_OK;
}

int64_t kafka_conf_number(const struct weir_settings *settings,
                          const char *property)
{
    rd_kafka_conf_t *scratch = rd_kafka_conf_new();
    char text[64] = "0";
    size_t size = sizeof text;

    /* Refusals are check_properties()'s to tell. */
    (void)set_properties(scratch, settings, NULL);
    (void)rd_kafka_conf_get(scratch, property, text, &size);
    rd_kafka_conf_destroy(scratch);
    return strtoll(text, NULL, 10);
}
