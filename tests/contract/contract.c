/*
 * contract.c - rules on a table of functions, as tests of every subject.
 */
#include "contract.h"

#include <stdio.h>

#include "clock.h"
#include "findings.h"

/* For what a library needs to let go. */
#define GRACE_US (2 * CLOCK_SECOND_US)

void contract_add(struct contract *contract, const struct contract_rule *rule,
                  const char *name, const void *subject)
{
    const size_t at = contract->count++;

    assert_true(at < CONTRACT_TESTS_MAX);
    (void)snprintf(contract->names[at], CONTRACT_NAME_SIZE, "%s: %s", name,
                   rule->name);
    contract->subjects[at] = subject;
    contract->tests[at] =
        (struct CMUnitTest){.name = contract->names[at],
                            .test_func = rule->test,
                            .initial_state = &contract->subjects[at]};
}

int contract_run(struct contract *contract, const char *group,
                 CMFixtureFunction setup, CMFixtureFunction teardown)
{
    for (size_t i = 0; i < contract->count; i++) {
        contract->tests[i].setup_func = setup;
        contract->tests[i].teardown_func = teardown;
    }
    return _cmocka_run_group_tests(group, contract->tests, contract->count,
                                   NULL, NULL);
}

struct contract_findings contract_probe(
    void (*probe)(const struct weir_settings *settings, int64_t deadline_us,
                  struct weir_findings *findings),
    const struct weir_settings *settings, int64_t timeout_us)
{
    const int64_t deadline_us = clock_after_us(timeout_us);
    struct contract_findings count = {{0}};
    struct weir_findings findings;

    findings_init(&findings);
    probe(settings, deadline_us, &findings);
    assert_true(clock_now_us() < deadline_us + GRACE_US);
    for (size_t i = 0; i < findings.count; i++) {
        const struct finding *finding = &findings.list[i];

        assert_true(finding->where[0] && finding->what[0]);
        count.of[finding->severity]++;
        if (finding->severity == WEIR_SEVERITY_ERROR)
            print_message("%s: %s\n", finding->where, finding->what);
    }
    findings_finish(&findings);
    return count;
}
