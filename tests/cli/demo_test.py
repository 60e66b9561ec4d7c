"""demo_test.py - `weir demo` loses nothing and leaves nothing behind."""

import os
import re
import signal
import subprocess
import unittest

from command import WEIR, CommandTest, weir


class Demo(CommandTest):
    def test_nothing_is_lost_and_nothing_remains(self):
        result = self.weir("demo", "--seconds", "10", timeout=60)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("the broker goes down", result.stdout)
        self.assertIn("the broker is back", result.stdout)
        self.assertRegex(result.stdout, r"(?m)^0 lost$")
        sent, confirmed = map(int, re.search(
            r"sent (\d+) lines, (\d+) confirmed", result.stdout).groups())
        delivered, rejected = map(int, re.search(
            r"delivered (\d+), rejected (\d+) broken", result.stdout).groups())
        self.assertGreater(sent, 9000)
        self.assertEqual(confirmed, sent)
        self.assertEqual(delivered + rejected, sent)
        self.assertGreater(rejected, 0)
        self.assertEqual(os.listdir(self.folder), [])

    def test_it_can_be_ended_early(self):
        with subprocess.Popen([WEIR, "demo"], text=True, cwd=self.folder,
                              stdout=subprocess.PIPE) as process:
            for line in process.stdout:
                if re.search(r"delivered [1-9]", line):
                    break
            process.send_signal(signal.SIGINT)
            rest = process.stdout.read()
            self.assertEqual(process.wait(timeout=60), 0)
        self.assertIn("ending early", rest)
        self.assertIn("\n0 lost", rest)

    def test_less_than_ten_seconds_is_a_usage_error(self):
        for seconds in ("9", "0", "-1", "x", "3601"):
            self.assert_usage(weir("demo", "--seconds", seconds), "--seconds")


if __name__ == "__main__":
    unittest.main()
