/*
 * contract.c - rules on a table of functions, as tests of every subject.
 */
#include "contract.h"

#include <stdio.h>

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
