"""run_test.py - `weir run`: its ends, its signals, what it prints where."""

import json
import os
import pty
import signal
import subprocess
import unittest

from command import BREAKABLE_INIT, WEIR, CommandTest

TOPOLOGY = """\
name: flow
producer: stdin
processors: { handler: HANDLER, concurrency: 1 }
batchers: { default: { batch_timeout: 10ms, sink: stdout } }
failure: { then: drop }
shutdown: { timeout: 1s }
"""

HANDLER = """\
#include <string.h>
#include <unistd.h>
#include <weir/handler.h>
""" + BREAKABLE_INIT + """
__attribute__((noinline)) enum weir_status get_stuck(void);
enum weir_status get_stuck(void)
{
    for (;;)
        pause();
    return WEIR_OK;
}

static enum weir_status handle(struct weir_message *msg, void *state)
{
    const char *line = (const char *)weir_message_payload(msg).data;

    (void)state;
    if (strcmp(line, "reject") == 0)
        return weir_message_reject(msg, "bad");
    if (strcmp(line, "fatal") == 0)
        return WEIR_FATAL;
    if (strcmp(line, "stuck") == 0)
        return get_stuck();
    return WEIR_OK;
}

WEIR_HANDLER(judge, .init = init, .handle_message = handle);
"""


class RunTest(CommandTest):
    def topology(self, handler="passthrough", **changes):
        text = TOPOLOGY.replace("HANDLER", handler)
        for old, new in changes.values():
            self.assertIn(old, text)
            text = text.replace(old, new)
        return self.write("topology.yaml", text)

    def plugin(self, options="{}", **changes):
        self.write("judge.c", HANDLER)
        built = self.weir("cc", "judge.c", "-fvisibility=default")
        self.assertEqual(built.returncode, 0, built.stderr)
        return self.topology(
            "{ plugin: ./judge.so, options: " + options + " }", **changes)

    def start(self, *arguments, **options):
        """A run that gets lines while it runs."""
        options.setdefault("stderr", subprocess.PIPE)
        process = subprocess.Popen([WEIR, "run", *arguments], text=True,
                                   stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, **options)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                try:
                    stream.close()
                except BrokenPipeError:
                    pass

    def send(self, process, line):
        process.stdin.write(line + "\n")
        process.stdin.flush()


class Ends(RunTest):
    def test_data_goes_to_standard_output_and_the_ledger_to_standard_error(self):
        result = self.weir("run", self.topology(), stdin="one\ntwo\n")
        self.assertEqual((result.returncode, result.stdout),
                         (0, "one\ntwo\n"), result.stderr)
        self.assertIn("flow: received 2 = done 2 + rejected 0 + abandoned 0 + "
                      "in flight 0", result.stderr)

    def test_quiet_leaves_the_ledger_out(self):
        result = self.weir("run", self.topology(), "--quiet", stdin="one\n")
        self.assertEqual(result.returncode, 0)
        self.assertNotIn("received", result.stderr)

    def test_the_report_has_the_ledger_at_its_top_level(self):
        result = self.weir("run", self.plugin(), "--report",
                           self.path("report.json"),
                           stdin="one\nreject\ntwo\n")
        self.assertEqual(result.returncode, 0, result.stderr)
        with open(self.path("report.json"), encoding="utf-8") as file:
            report = json.load(file)
        self.assertEqual(
            [report[name] for name in ("received", "done", "rejected",
                                       "abandoned", "in_flight")],
            [3, 2, 1, 0, 0])
        self.assertEqual((report["exit"], report["pipeline"]), (0, "flow"))
        self.assertGreater(report["duration_seconds"], 0)
        self.assertEqual(report["counters"]["rejected_by_handler"], 1)
        self.assertGreaterEqual(report["counters"]["batches"], 1)

    def test_a_report_that_can_not_be_written_is_refused_at_the_start(self):
        result = self.weir("run", self.topology(), "--report",
                           self.path("absent/report.json"), stdin="one\n")
        self.assert_usage(result, "--report")

    def test_a_report_on_a_full_disk_is_an_error(self):
        result = self.weir("run", self.topology(), "--report", "/dev/full",
                           stdin="one\n")
        self.assertEqual(result.returncode, 1)
        self.assertIn("/dev/full", result.stderr)

    def test_a_connect_timeout_without_an_end_is_refused(self):
        result = self.weir("run", self.topology(), "--connect-timeout", "5s",
                           stdin="one\n")
        self.assert_usage(result, "--until-end only")
        self.assertEqual(result.stdout, "")
        for timeout in ("5s", "0s"):
            result = self.weir("run", self.topology(), "--connect-timeout",
                               timeout, "--until-end", stdin="one\n")
            self.assertEqual((result.returncode, result.stdout), (0, "one\n"))

    def test_one_value_can_be_replaced(self):
        result = self.weir("run", self.topology(), "--set",
                           "batchers.default.sink.stdout.format=json",
                           stdin="one\n")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(json.loads(result.stdout)["payload"], "one")

    def test_a_rate_limit_is_not_passed(self):
        result = self.weir(
            "run", self.topology(), "--report", self.path("report.json"),
            "--set", "producer.rate_limit.messages=500", stdin="line\n" * 500)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout, "line\n" * 500)
        with open(self.path("report.json"), encoding="utf-8") as file:
            seconds = json.load(file)["duration_seconds"]
        self.assertGreaterEqual(seconds, 0.9)

    def test_a_rate_limit_of_bytes_is_not_passed(self):
        result = self.weir(
            "run", self.topology(), "--report", self.path("report.json"),
            "--set", "producer.rate_limit.bytes=100KiB",
            stdin=("x" * 1023 + "\n") * 100)
        self.assertEqual(result.returncode, 0, result.stderr)
        with open(self.path("report.json"), encoding="utf-8") as file:
            seconds = json.load(file)["duration_seconds"]
        self.assertGreaterEqual(seconds, 0.9)

    def test_a_configuration_error_exits_78(self):
        result = self.weir("run", self.topology("linked"), stdin="one\n")
        self.assertEqual((result.returncode, result.stdout), (78, ""))

    def test_an_init_that_fails_exits_78_with_its_reason(self):
        result = self.weir("run", self.plugin("{ broken: true }"),
                           stdin="one\n")
        self.assertEqual((result.returncode, result.stdout), (78, ""))
        self.assertIn("no table of prices", result.stderr)

    def test_a_fatal_answer_exits_70(self):
        result = self.weir("run", self.plugin(), stdin="fatal\n")
        self.assertEqual(result.returncode, 70, result.stderr)

    def test_a_failed_message_under_stop_exits_65(self):
        file = self.plugin(then=("then: drop", "then: stop"))
        result = self.weir("run", file, stdin="reject\n")
        self.assertEqual(result.returncode, 65, result.stderr)


class Signals(RunTest):
    def run_until_signal(self, number):
        process = self.start(self.topology())
        self.send(process, "one")
        self.assertEqual(process.stdout.readline(), "one\n")
        process.send_signal(number)
        process.wait(timeout=20)
        return process

    def test_sigterm_and_sigint_drain(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number=number):
                process = self.run_until_signal(number)
                self.assertEqual(process.returncode, 0)
                self.assertIn("received 1 = done 1", process.stderr.read())

    def await_line(self, process, text):
        for line in process.stderr:
            if text in line:
                return
        self.fail(f"ended without a line with {text}")

    def test_sighup_reads_the_topology_again(self):
        process = self.start(self.topology())
        self.send(process, "one")
        self.assertEqual(process.stdout.readline(), "one\n")
        self.topology(other=("batch_timeout: 10ms", "batch_timeout: 11ms"))
        process.send_signal(signal.SIGHUP)
        self.await_line(process, "batchers.default.batch_timeout from 10ms to 11ms")
        self.write("topology.yaml", "nonsense")
        process.send_signal(signal.SIGHUP)
        self.await_line(process, "was refused and nothing has changed")
        self.send(process, "two")
        self.assertEqual(process.stdout.readline(), "two\n")
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)
        self.assertEqual(process.returncode, 0)

    def test_a_sighup_that_comes_early_waits_until_it_can_be_served(self):
        with open(self.topology(), encoding="utf-8") as file:
            text = file.read()
        os.mkfifo(self.path("pipe"))
        process = self.start(self.path("pipe"))
        with open(self.path("pipe"), "w", encoding="utf-8") as pipe:
            process.send_signal(signal.SIGHUP)  # it is about to read
            pipe.write(text)
        self.await_line(process, "no regular file, which can't be read again")
        self.send(process, "one")
        self.assertEqual(process.stdout.readline(), "one\n")
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)
        self.assertEqual(process.returncode, 0)

    def stuck(self, **changes):
        process = self.start(self.plugin(**changes))
        self.send(process, "one")
        self.assertEqual(process.stdout.readline(), "one\n")
        self.send(process, "stuck")
        return process

    def test_a_second_signal_ends_it_at_once(self):
        process = self.stuck(timeout=("timeout: 1s", "timeout: 60s"))
        process.send_signal(signal.SIGTERM)
        for line in process.stderr:
            if "a second one" in line:
                break
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)
        self.assertEqual(process.returncode, -signal.SIGTERM)

    def test_a_stuck_handler_is_left_behind_at_the_deadline(self):
        process = self.stuck(timeout=("concurrency: 1",
                                      "concurrency: 1, timeout: 100ms"))
        seen = ""
        for line in process.stderr:
            seen += line
            if "get_stuck" in line:
                break
        self.assertIn("get_stuck", seen)  # its own stack
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
        process.wait(timeout=20)
        self.assertEqual(process.returncode, 75, seen + rest)
        self.assertIn("abandoned 1", rest)


class StatusLine(RunTest):
    def read_terminal(self, *arguments):
        """What a run of two seconds prints on the terminal that stderr is."""
        ours, theirs = pty.openpty()
        process = self.start(self.topology(), *arguments, stderr=theirs)
        os.close(theirs)
        self.send(process, "one")
        text = ""
        while "lag" not in text and "one" not in text:
            if arguments:
                text += process.stdout.readline()
            else:
                text += os.read(ours, 4096).decode()
        process.stdin.close()
        process.stdin = None
        process.wait(timeout=20)
        try:
            while True:
                more = os.read(ours, 4096).decode()
                if not more:
                    break
                text += more
        except OSError:
            pass  # the terminal is gone
        os.close(ours)
        self.assertEqual(process.returncode, 0, text)
        return text

    def test_a_terminal_shows_one_live_line(self):
        text = self.read_terminal()
        self.assertRegex(text, r"/s  in flight \S+  lag \S+  rejected 0  done")
        self.assertIn("received 1 = done 1", text)

    def test_quiet_shows_none(self):
        self.assertNotIn("in flight", self.read_terminal("--quiet"))


if __name__ == "__main__":
    unittest.main()
