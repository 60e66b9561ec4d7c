"""process_1_test.py - weir as process 1, as the first process of a container is."""

import os
import signal
import subprocess
import unittest

from command import WEIR, CommandTest

TOPOLOGY = """\
name: flow
producer: stdin
processors: { handler: { plugin: ./probe.so }, concurrency: 1 }
batchers: { default: { batch_timeout: 10ms, sink: stdout } }
failure: { then: drop }
shutdown: { timeout: 60s }
"""

# Answers with the outcome of a command of its own; "stuck" never does.
HANDLER = """\
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weir/handler.h>

static enum weir_status handle(struct weir_message *msg, void *state)
{
    char text[64];

    (void)state;
    if (strcmp(weir_message_payload(msg).data, "crash") == 0)
        abort();
    if (strcmp(weir_message_payload(msg).data, "stuck") == 0) {
        (void)!write(STDOUT_FILENO, "stuck\\n", 6);
        for (;;)
            pause();
    }
    (void)snprintf(text, sizeof text, "process %d: %d", (int)getpid(),
                   system("exit 3") >> 8);
    return weir_message_set_payload(msg, WEIR_STR(text));
}

WEIR_HANDLER(probe, .handle_message = handle);
"""
UNSHARE = ["unshare", "--user", "--map-root-user", "--pid", "--fork",
           "--kill-child"]


def can_unshare():
    return subprocess.run([*UNSHARE, "true"], capture_output=True,
                          check=False).returncode == 0


class InitTest(CommandTest):
    def setUp(self):
        super().setUp()
        if not can_unshare():
            self.assertNotEqual(os.environ.get("CI"), "true",
                                "CI needs process namespaces")
            self.skipTest("no process namespaces here")
        self.write("probe.c", HANDLER)
        self.write("topology.yaml", TOPOLOGY)
        self.assertEqual(self.weir("cc", "probe.c").returncode, 0)

    def start(self):
        """The run, and the process id that process 1 has outside."""
        self.process = subprocess.Popen(
            [*UNSHARE, WEIR, "run", "topology.yaml", "--quiet"],
            cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        self.addCleanup(self.process.communicate)
        self.addCleanup(self.process.kill)

    def send(self, line):
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def first(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path, encoding="utf-8") as file:
            return int(file.read().split()[0])

    def end(self):
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err.decode()

    def test_the_run_is_its_child_and_keeps_its_own_children(self):
        self.start()
        self.send(b"a line")
        code, out, err = self.end()
        self.assertEqual((code, out), (0, b"process 2: 3\n"), err)

    def test_a_signal_drains(self):
        self.start()
        self.send(b"a line")
        self.assertEqual(self.process.stdout.readline(), b"process 2: 3\n")
        os.kill(self.first(), signal.SIGTERM)
        code, _, err = self.end()
        self.assertEqual(code, 0, err)
        self.assertIn("SIGTERM: draining", err)

    def test_a_second_signal_ends_at_once(self):
        self.start()
        self.send(b"stuck")
        self.assertEqual(self.process.stdout.readline(), b"stuck\n")
        os.kill(self.first(), signal.SIGTERM)
        for line in self.process.stderr:
            if b"SIGTERM: draining" in line:
                break
        os.kill(self.first(), signal.SIGTERM)
        self.assertEqual(self.end()[0], 128 + signal.SIGTERM)

    def test_sighup_reads_the_topology_again(self):
        self.start()
        self.send(b"a line")
        self.assertEqual(self.process.stdout.readline(), b"process 2: 3\n")
        os.kill(self.first(), signal.SIGHUP)
        for line in self.process.stderr:
            if b"reloaded (SIGHUP), unchanged, generation 1" in line:
                break
        else:
            self.fail("ended without a reload")
        code, _, err = self.end()
        self.assertEqual(code, 0, err)

    def test_a_crash_has_its_number(self):
        self.start()
        self.send(b"crash")
        self.assertEqual(self.end()[0], 128 + signal.SIGABRT)


if __name__ == "__main__":
    unittest.main()
