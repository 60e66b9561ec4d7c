/*
 * option_rules.h - what every option table keeps to.
 */
#ifndef WEIR_TEST_OPTION_RULES_H
#define WEIR_TEST_OPTION_RULES_H

#include <weir/settings.h>

/* Names are set and unique, each has a sentence of help, defaults are values of
 * their option, groups have children and those keep to it too. */
void assert_options(const struct weir_option *options);

#endif
