"""check_test.py - what `weir check` says, in which form, with which exit code.

Against real brokers: tests/system/check_connect_test.py.
"""

import json
import socket
import time
import unittest

from command import CommandTest, outputs

TOPOLOGY = """\
name: orders
producer: { kafka: { brokers: "127.0.0.1:%d", group: g, topics: [orders] } }
processors: { handler: passthrough }
batchers:
  default: { sink: { amqp: { url: "amqp://u:planted-secret@127.0.0.1:%d",
                             routing_key: q } } }
  dead_letter: { sink: { file: { path: out } } }
failure: { then: dead_letter }
"""
PATIENCE_S = 60


class Check(CommandTest):
    def check(self, *options, ports=(1, 1), handler="passthrough"):
        text = TOPOLOGY.replace("passthrough", handler) % ports
        path = self.write("orders.yaml", text)
        result = self.weir("check", *options, path, timeout=PATIENCE_S)
        self.assertFalse(outputs.found_in(result.stdout + result.stderr))
        return result

    def findings(self, *options, **places):
        result = self.check("--format", "json", *options, **places)
        self.assertEqual(result.stderr, "")
        return result.returncode, json.loads(result.stdout)

    def test_without_connect_nobody_is_asked(self):
        code, said = self.findings()
        self.assertEqual(code, 0)
        self.assertEqual((said["ok"], said["asked"], said["findings"]),
                         (True, False, []))

    def test_what_is_wrong_with_the_file_is_a_finding_too(self):
        code, said = self.findings("--connect", "--set", "memory=none",
                                   "--set", "batchers.default.batch_size=0")
        self.assertEqual(code, 78)
        self.assertEqual((said["ok"], said["asked"]), (False, False))
        self.assertEqual({one["path"] for one in said["findings"]
                          if one["severity"] == "error"},
                         {"memory", "batchers.default.batch_size"})

    def test_a_plugin_that_is_refused_is_a_finding_too(self):
        self.write("bad.so", "no library")
        code, said = self.findings(handler="{ plugin: ./bad.so }")
        self.assertEqual(code, 78)
        self.assertFalse(said["ok"])
        self.assertEqual(said["findings"][-1]["path"], "processors.handler")

    def test_brokers_that_are_away_are_errors(self):
        code, said = self.findings("--connect")
        self.assertEqual(code, 69)
        self.assertEqual((said["ok"], said["asked"]), (False, True))
        self.assertEqual({one["path"] for one in said["findings"]
                          if one["severity"] == "error"},
                         {"producer.kafka", "batchers.default.sink.amqp"})
        self.assertIn("ok", [one["severity"] for one in said["findings"]
                             if one["path"] == "batchers.dead_letter.sink.file"])

    def test_text_has_a_line_each_and_counts_them(self):
        result = self.check("--connect")
        lines = result.stdout.splitlines()
        self.assertEqual(result.returncode, 69)
        self.assertTrue(lines[0].endswith("orders.yaml: ok"), lines)
        self.assertTrue(lines[1].startswith("error    producer.kafka: "), lines)
        self.assertTrue(lines[-1].endswith(": 2 errors, 0 warnings, 0 unknown"))

    def test_all_are_asked_within_one_time(self):
        """Both say nothing: a port where nobody accepts."""
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen(8)
            port = silent.getsockname()[1]
            began = time.monotonic()
            code, said = self.findings("--connect", "--timeout", "500ms",
                                       ports=(port, port))
        self.assertLess(time.monotonic() - began, PATIENCE_S / 2)
        self.assertEqual(code, 69)
        self.assertEqual(len([one for one in said["findings"]
                              if one["severity"] == "error"]), 2, said)

    def test_nothing_is_made(self):
        self.check("--connect")
        self.assertRaises(FileNotFoundError, open, self.path("out"))

    def test_options_that_make_no_sense_are_refused(self):
        self.assert_usage(self.weir("check", "--timeout", "1s", "x.yaml"),
                          "--connect")
        self.assert_usage(self.weir("check", "--format", "xml", "x.yaml"),
                          "text or json")


if __name__ == "__main__":
    unittest.main()
