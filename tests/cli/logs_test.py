"""logs_test.py - what `weir run` logs: its form, its fields, how much of it."""

import json
import os
import pty
import re
import subprocess
import unittest

from command import WEIR, CommandTest

TOPOLOGY = """\
name: flow
producer: stdin
processors: { handler: { plugin: ./judge.so }, concurrency: 4 }
batchers: { default: { batch_timeout: 10ms, sink: discard } }
failure: { then: drop }
"""

HANDLER = """\
#include <weir/handler.h>

static enum weir_status handle(struct weir_message *msg, void *state)
{
    (void)state;
    weir_log(msg, WEIR_LOG_WARNING, "seen");
    return weir_message_reject(msg, "bad \\"order\\"");
}

WEIR_HANDLER(judge, .handle_message = handle);
"""

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


class LogsTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.write("judge.c", HANDLER)
        built = self.weir("cc", "judge.c")
        self.assertEqual(built.returncode, 0, built.stderr)
        self.write("topology.yaml", TOPOLOGY)

    def run_once(self, stdin, *options):
        result = self.weir("run", "topology.yaml", *options, stdin=stdin)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stderr.splitlines()

    def test_without_a_terminal_each_line_is_a_json_object(self):
        lines = [json.loads(line) for line in self.run_once("one\n")]
        for line in lines:
            self.assertRegex(line["time"], f"^{TIME}$")
            self.assertIn(line["level"],
                          ("debug", "info", "warning", "error"))
            self.assertEqual(line["pipeline"], "flow")
        failed = [line for line in lines if " failed: " in line["message"]]
        self.assertEqual(len(failed), 1)
        self.assertEqual(failed[0]["message"], 'stdin#0 failed: bad "order"')
        self.assertEqual(
            {name: failed[0][name] for name in
             ("level", "stage", "source", "number")},
            {"level": "warning", "stage": "processor", "source": "stdin",
             "number": 0})
        self.assertIn(failed[0]["worker"], range(4))
        seen = [line for line in lines if line["message"].endswith(": seen")]
        self.assertEqual(seen[0]["number"], 0)
        ledger = lines[-1]
        self.assertEqual(
            {name: ledger[name] for name in
             ("received", "done", "rejected", "abandoned", "in_flight",
              "exit")},
            {"received": 1, "done": 0, "rejected": 1, "abandoned": 0,
             "in_flight": 0, "exit": 0})

    def test_text_is_for_people_where_it_is_asked_for(self):
        lines = self.run_once("one\n", "--set", "log.format=text")
        self.assertRegex("\n".join(lines),
                         f'{TIME} warning stdin#0 failed: bad "order"\n')
        self.assertNotIn("{", "".join(lines))

    def test_a_terminal_gets_text(self):
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [WEIR, "run", "topology.yaml", "--quiet"], cwd=self.folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs)
        os.close(theirs)
        text = b""
        try:
            while True:
                text += os.read(ours, 4096)
        except OSError:
            pass  # it ended
        os.close(ours)
        self.assertEqual(process.wait(timeout=60), 0)
        self.assertRegex(text.decode(), f"{TIME} info    flow: ending: ")

    def test_twenty_thousand_failing_messages_are_a_few_lines(self):
        lines = [json.loads(line) for line in self.run_once("x\n" * 20000)]
        for text, burst in ((" failed: ", 5), (": seen", 20)):
            those = [line for line in lines if text in line["message"]]
            counts = [line for line in those
                      if re.match(r"\d+ more like ", line["message"])]
            left_out = sum(line.get("left_out", 0) for line in those)
            written = len(those) - len(counts)
            self.assertEqual(written + left_out, 20000, text)
            # Five at once, then one a second, and each second's count.
            seconds = lines[-1]["duration_ms"] / 1000
            self.assertLessEqual(len(those), burst + 2 * seconds + 3, text)

    def test_the_level_leaves_out_what_is_below_it(self):
        lines = self.run_once("one\n", "--set", "log.level=error")
        self.assertEqual(lines, [])


if __name__ == "__main__":
    unittest.main()
