"""journal_test.py - a message that takes the process down, run after run."""

import json
import signal
import unittest

from command import CommandTest

TOPOLOGY = """\
name: flow
producer: stdin
processors: { handler: { plugin: ./fragile.so }, concurrency: 4 }
batchers: { default: { batch_timeout: 10ms, sink: stdout } }
failure: { then: drop, max_crashes: 2 }
state: journal
"""

HANDLER = """\
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <weir/handler.h>

static int fall(volatile char *deeper)
{
    volatile char here[4096];

    here[0] = deeper ? *deeper : 0;
    return fall(here) + here[0];
}

static enum weir_status handle(struct weir_message *msg, void *state)
{
    const char *line = (const char *)weir_message_payload(msg).data;

    (void)state;
    if (strcmp(line, "abort") == 0)
        abort();
    if (strcmp(line, "fault") == 0)
        *(volatile int *)8 = 1;
    if (strcmp(line, "exit") == 0)
        exit(0);
    if (strcmp(line, "overflow") == 0 && fall(NULL) > 0)
        return WEIR_REJECT;
    return WEIR_OK;
}

/* Everything takes a while, so that several are in here at once; "alone"
 * aborts, or with the option `calm` says whether it is. */
static atomic_int inside;

static enum weir_status init(const struct weir_worker *worker,
                             const struct weir_settings *options,
                             void **ret_state, struct weir_error *err)
{
    (void)worker;
    (void)err;
    *ret_state = weir_settings_bool(options, "calm", false) ? ret_state : NULL;
    return WEIR_OK;
}

static int work(int deepness)
{
    return deepness < 2 ? 1 : work(deepness - 1) + work(deepness - 2);
}

static enum weir_status crowd(struct weir_message *msg, void *calm)
{
    enum weir_status status = WEIR_OK;
    const char *line = (const char *)weir_message_payload(msg).data;
    int most = atomic_fetch_add(&inside, 1) + 1;

    for (volatile int i = 0; i < 20; i++) {
        const int now = work(15) > 0 ? atomic_load(&inside) : 0;

        most = now > most ? now : most;
    }
    if (strcmp(line, "alone") == 0 && !calm)
        abort();
    if (strcmp(line, "alone") == 0)
        status = weir_message_reject(msg, "%d inside", most);
    atomic_fetch_sub(&inside, 1);
    return status;
}

#ifdef CROWD
WEIR_HANDLER(fragile, .init = init, .handle_message = crowd);
#else
WEIR_HANDLER(fragile, .handle_message = handle);
#endif
"""


class JournalTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.write("fragile.c", HANDLER)
        self.build()
        self.write("topology.yaml", TOPOLOGY)

    def build(self, *flags):
        built = self.weir("cc", "fragile.c", "-O0", "-Wno-infinite-recursion",
                          "-Wno-unused-function", *flags)
        self.assertEqual(built.returncode, 0, built.stderr)

    def run_once(self, text, *more):
        return self.weir("run", "topology.yaml", "--report",
                         self.path("report.json"), *more, stdin=text)

    def assert_poison(self, line, ends):
        """It takes the process down until it is condemned; then all others
        are delivered, and it fails by the policy."""
        text = "one\n" * 20 + line + "\n" + "two\n" * 20
        for _ in range(3):  # beside others at first, then twice alone
            result = self.run_once(text)
            self.assertEqual(result.returncode, ends, result.stderr)
        self.assertIn("handled alone", result.stderr)
        result = self.run_once(text)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("took the process down 2 times", result.stderr)
        self.assertEqual(sorted(result.stdout.split()),
                         ["one"] * 20 + ["two"] * 20)
        with open(self.path("report.json"), encoding="utf-8") as file:
            report = json.load(file)
        self.assertEqual((report["done"], report["rejected"]), (40, 1))
        self.assertEqual(report["counters"]["rejected_crashes"], 1)

    def test_a_message_that_faults(self):
        self.assert_poison("fault", -signal.SIGSEGV)

    def test_a_message_that_aborts(self):
        self.assert_poison("abort", -signal.SIGABRT)

    def test_a_message_that_calls_exit(self):
        self.assert_poison("exit", 0)

    def test_a_message_that_overflows_the_stack(self):
        self.assert_poison("overflow", -signal.SIGSEGV)

    def test_a_suspect_is_handled_with_nobody_else_in_native_code(self):
        self.build("-DCROWD")
        text = "one\n" * 200 + "alone\n" + "two\n" * 200
        result = self.run_once(text)
        self.assertEqual(result.returncode, -signal.SIGABRT, result.stderr)
        result = self.run_once(text, "--set",
                               "processors.handler.options.calm=true")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(" 1 inside", result.stderr)
        result = self.run_once(text, "--set",  # it came back: no suspect
                               "processors.handler.options.calm=true")
        self.assertNotIn("handled alone", result.stderr)

    def test_without_a_folder_nothing_is_kept(self):
        self.write("topology.yaml", TOPOLOGY.replace("state: journal\n", ""))
        for _ in range(5):
            # By the signal, or as a sanitizer would have it.
            self.assertNotEqual(self.run_once("fault\n").returncode, 0)

    def test_another_pipeline_is_refused_before_anything_connects(self):
        self.assertEqual(self.run_once("one\n").returncode, 0)
        result = self.run_once("one\n", "--set", "name=other")
        self.assertEqual((result.returncode, result.stdout), (78, ""))
        self.assertIn("belongs to the pipeline 'flow'", result.stderr)


if __name__ == "__main__":
    unittest.main()
