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

# The batches are the handler's own; the lines are in one, or in two.
BATCHES = TOPOLOGY.replace("batch_timeout: 10ms, sink: stdout",
                           "batch_timeout: 1s, batch_size: 70, concurrency: 2")

HANDLER = """\
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
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

static enum weir_status write_out(struct weir_batch *batch, void *state)
{
    char text[4096];
    int size = 0;

    for (size_t i = 0; i < weir_batch_count(batch); i++) {
        const struct weir_message *msg = weir_batch_message(batch, i);

        (void)handle((struct weir_message *)msg, state);
        size += snprintf(text + size, sizeof text - (size_t)size, "%s\\n",
                         (const char *)weir_message_payload(msg).data);
    }
    return write(STDOUT_FILENO, text, (size_t)size) == size ? WEIR_OK
                                                            : WEIR_RETRY;
}

static enum weir_status pass(struct weir_message *msg, void *state)
{
    const char *line = (const char *)weir_message_payload(msg).data;

    (void)state;
    return strcmp(line, "bad") == 0 || strcmp(line, "abort") == 0
               ? weir_message_reject(msg, "it is bad")
               : WEIR_OK;
}

static enum weir_status failed(struct weir_message *const *messages,
                               size_t count, void *state)
{
    for (size_t i = 0; i < count; i++)
        (void)handle(messages[i], state);
    return WEIR_OK;
}

#ifdef FAILED
WEIR_HANDLER(fragile, .handle_message = pass, .handle_failed = failed);
#elif defined BATCHES
WEIR_HANDLER(fragile, .handle_batch = write_out);
#elif defined CROWD
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

    def report(self):
        with open(self.path("report.json"), encoding="utf-8") as file:
            return json.load(file)

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
        report = self.report()
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

    def test_a_message_that_aborts_in_handle_batch(self):
        self.build("-DBATCHES")
        self.write("topology.yaml", BATCHES)
        self.assert_poison("abort", -signal.SIGABRT)

    def test_batches_larger_than_a_place_of_the_journal(self):
        self.build("-DBATCHES")
        self.write("topology.yaml", BATCHES.replace("70", "1000"))
        text = "one\n" * 400 + "abort\n"
        for _ in range(3):
            result = self.run_once(text)
            self.assertEqual(result.returncode, -signal.SIGABRT, result.stderr)
        result = self.run_once(text)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout.split(), ["one"] * 400)

    def test_a_batch_keeps_its_order_around_a_message_that_is_alone(self):
        self.build("-DBATCHES")
        self.write("topology.yaml", BATCHES.replace(
            "concurrency: 4", "ordering: partition").replace(
            "concurrency: 2", "concurrency: 1"))
        lines = [f"line-{n}" for n in range(30)]
        text = "\n".join(lines[:15] + ["abort"] + lines[15:]) + "\n"
        for _ in range(3):
            result = self.run_once(text)
            self.assertEqual(result.returncode, -signal.SIGABRT, result.stderr)
        result = self.run_once(text)
        self.assertEqual((result.returncode, result.stdout.split()),
                         (0, lines), result.stderr)

    def test_a_dead_letter_that_aborts_in_handle_batch_ends_the_run(self):
        self.build("-DBATCHES")
        self.write("topology.yaml", TOPOLOGY.replace(
            "sink: stdout }", "sink: discard }, dead_letter: {}").replace(
            "then: drop", "then: dead_letter"))
        self.write("fragile.c", HANDLER.replace(
            ".handle_batch = write_out",
            ".handle_message = pass, .handle_batch = write_out"))
        self.build("-DBATCHES")
        for _ in range(3):
            result = self.run_once("one\nabort\ntwo\n")
            self.assertEqual(result.returncode, -signal.SIGABRT, result.stderr)
        result = self.run_once("one\nabort\ntwo\n")
        self.assertEqual(result.returncode, 65, result.stderr)
        self.assertIn("took the process down 2 times", result.stderr)

    def test_a_message_that_aborts_in_handle_failed(self):
        """It is settled as if handle_failed had not run."""
        self.build("-DFAILED")
        text = "bad\n" * 20 + "abort\n" + "one\n" * 20
        for _ in range(3):
            result = self.run_once(text)
            self.assertEqual(result.returncode, -signal.SIGABRT, result.stderr)
        result = self.run_once(text)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("kept from handle_failed", result.stderr)
        self.assertEqual(result.stdout.split(), ["one"] * 20)
        report = self.report()
        self.assertEqual((report["done"], report["rejected"]), (20, 21))
        self.assertEqual(report["counters"]["callback_errors"], 1)
        self.assertEqual(report["counters"]["rejected_by_handler"], 21)

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
