/*
 * health_variable.h - where a weir is asked for its health, if nobody says.
 */
#ifndef WEIR_CLI_HEALTH_VARIABLE_H
#define WEIR_CLI_HEALTH_VARIABLE_H

/* `weir run` listens there where the topology has no `admin`, and `weir health`
 * asks there: so that both agree in a container without a word. */
#define HEALTH_VARIABLE "WEIR_ADMIN"
#define HEALTH_DEFAULT  "127.0.0.1:9464"

/* Who signed the certificate of one that is asked with TLS: a file. */
#define HEALTH_CA_VARIABLE "WEIR_ADMIN_CA"

#endif
