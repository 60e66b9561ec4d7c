/*
 * contract.h - rules on a table of functions, as tests of every subject.
 */
#ifndef WEIR_TEST_CONTRACT_H
#define WEIR_TEST_CONTRACT_H

#include "test.h"

#include <weir/finding.h>
#include <weir/settings.h>
#include <weir/status.h>

enum { CONTRACT_NAME_SIZE = 100, CONTRACT_TESTS_MAX = 200 };

struct contract_rule {
    const char *name;
    CMUnitTestFunction test;
    unsigned need; /* what a subject must have for it; the test's own enum */
};

/* `need` 0: every subject has it. */
#define RULE(rule)                                                             \
    {                                                                          \
        .name = #rule, .test = (rule)                                          \
    }
#define RULE_OF(rule, need_)                                                   \
    {                                                                          \
        .name = #rule, .test = (rule), .need = (need_)                         \
    }

/* Zeroed is empty. */
struct contract {
    struct CMUnitTest tests[CONTRACT_TESTS_MAX];
    char names[CONTRACT_TESTS_MAX][CONTRACT_NAME_SIZE];
    const void *subjects[CONTRACT_TESTS_MAX];
    size_t count;
};

/* A case "NAME: RULE"; `setup` finds a pointer to the subject in its state. */
void contract_add(struct contract *contract, const struct contract_rule *rule,
                  const char *name, const void *subject);

/* Runs all of them; returns as main(). */
int contract_run(struct contract *contract, const char *group,
                 CMFixtureFunction setup, CMFixtureFunction teardown);

/* What a `probe` found: how many of each severity, in all of `timeout_us`, and
 * not later. */
struct contract_findings {
    size_t of[WEIR_SEVERITY_COUNT];
};

struct contract_findings contract_probe(
    void (*probe)(const struct weir_settings *settings, int64_t deadline_us,
                  struct weir_findings *findings),
    const struct weir_settings *settings, int64_t timeout_us);

#endif
