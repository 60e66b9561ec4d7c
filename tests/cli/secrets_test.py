"""secrets_test.py - what was planted as a secret is nowhere (G10).

Passwords stand where the tables know of one, in a URL, in a client's property and
in a handler's option, written out and from a file; then everything that can be
wrong is wrong.  No word of any verb may have them, and no core file either.
"""

import os
import resource
import signal
import subprocess
import unittest

from command import WEIR, CommandTest
from outputs import SECRETS, found_in

SECRET = SECRETS[0]

KAFKA = """\
kafka:
    brokers: 127.0.0.1:1
    group: g
    topics: [t]
    sasl: { mechanism: PLAIN, username: u, password: 'PASSWORD' }
    properties: { sasl.oauthbearer.config: 'PASSWORD' }
"""
AMQP = "amqp: { url: 'amqp://u:PASSWORD@127.0.0.1:1/v', queue: q }\n"
MEMORY = "  max_message_bytes: 16KiB\n"

TOPOLOGY = """\
name: planted
producer:
  {producer}
processors:
  handler: {{ plugin: ./judge.so, options: {{ token: 'PASSWORD' }} }}
batchers:
  default:
    sink: {sink}
failure: {{ then: drop }}
shutdown: {{ timeout: 1s }}
"""

HANDLER = """\
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <weir/handler.h>

static enum weir_status init(const struct weir_worker *worker,
                             const struct weir_settings *options,
                             void **ret_state, struct weir_error *err)
{
    (void)worker;
    (void)ret_state;
    return weir_settings_string(options, "token") ||
           weir_settings_string(options, "plain")
               ? WEIR_OK
               : weir_fail(err, WEIR_REJECT, "no token");
}

static enum weir_status handle(struct weir_message *msg, void *state)
{
    struct rlimit limit;

    (void)msg;
    (void)state;
    getrlimit(RLIMIT_CORE, &limit);
    fprintf(stderr, "dumpable %d, %s core\\n", prctl(PR_GET_DUMPABLE),
            limit.rlim_cur == 0 ? "no" : "a");
    abort();
}

WEIR_HANDLER(judge, .init = init, .handle_message = handle);
"""


class SecretsFixture(CommandTest):
    def setUp(self):
        super().setUp()
        self.write("judge.c", HANDLER)
        built = self.weir("cc", "judge.c")
        self.assertEqual(built.returncode, 0, built.stderr)
        self.write("secret", SECRET + "\n")

    def topology(self, producer, sink="discard", password=SECRET):
        text = TOPOLOGY.format(producer=producer, sink=sink)
        return self.write("topology.yaml", text.replace("PASSWORD", password))

    def assert_clean(self, result):
        out = result.stdout + result.stderr
        self.assertEqual(found_in(out), [], out)
        return out


class SecretsTest(SecretsFixture):
    def test_a_secret_from_a_file_is_used_without_its_newline(self):
        self.topology("stdin", password="${file:secret}")
        tried = self.weir("try", "topology.yaml", stdin="")
        self.assertEqual(tried.returncode, 0, tried.stderr)

    def test_a_missing_file_is_named_with_its_key(self):
        self.topology("stdin", password="${file:absent}")
        out = self.assert_clean(self.weir("check", "topology.yaml"))
        self.assertIn("processors.handler.options.token: ${file:absent}: "
                      "the file can't be opened", out)

    def test_no_verb_shows_one(self):
        for producer in (KAFKA, AMQP + MEMORY):
            for password in (SECRET, "${file:secret}"):
                self.topology(producer, password=password)
                for arguments in (("check",), ("graph",),
                                  ("graph", "--format", "dot"),
                                  ("graph", "--format", "mermaid")):
                    self.assert_clean(
                        self.weir(*arguments, "topology.yaml"))

    def test_no_error_shows_one(self):
        wrong = (
            KAFKA.replace("'PASSWORD' }\n    prop", "[PASSWORD] }\n    prop"),
            KAFKA.replace("sasl.oauthbearer.config", "sasl.password"),
            KAFKA.replace("group: g", "group: g\n    start: ${file:secret}"),
            AMQP.replace("127.0.0.1:1/v", "127.0.0.1:x/v"),
            AMQP.replace("amqp://", "http://"),
            AMQP.replace("@127", "@@127"),
            AMQP.replace("queue: q", "queue: '${file:secret}', prefetch: 0"),
            "generator: { count: '${file:secret}' }",
            "'${file:secret}'",
        )
        for producer in wrong:
            self.topology(producer)
            result = self.weir("check", "topology.yaml")
            self.assert_clean(result)
            self.assertEqual(result.returncode, 78, producer + result.stderr)
        refused = self.weir("check", self.topology(KAFKA), "--set",
                            f"producer.kafka.tls.key_password={SECRET}")
        self.assert_clean(refused)

    def test_no_log_of_a_broker_that_is_away_shows_one(self):
        for producer in (KAFKA.replace("properties:", "#"), AMQP + MEMORY):
            self.topology(producer, password="${file:secret}")
            result = self.weir(
                "run", "topology.yaml", "--until-end", "--connect-timeout",
                "1s", "--report", "report.json", "--set", "log.level=debug")
            self.assertEqual(result.returncode, 69, result.stderr)
            self.assert_clean(result)
            with open(self.path("report.json"), encoding="utf-8") as file:
                self.assertEqual(found_in(file.read()), [])

    def test_no_journal_of_a_crash_has_one(self):
        self.topology("stdin", password="${file:secret}")
        os.mkdir(self.path("state"))
        result = self.weir("run", "topology.yaml", "--set", "state=state",
                           stdin="boom\n")
        self.assertEqual(result.returncode, -signal.SIGABRT, result.stderr)
        self.assert_clean(result)
        for name in os.listdir(self.path("state")):
            with open(self.path(f"state/{name}"), "rb") as file:
                self.assertNotIn(SECRET.encode(), file.read())


class CoreFiles(SecretsFixture):
    def crash(self, *options):
        """Whether it left a core file, and what the handler saw before."""
        def unlimited():
            hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
            resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
        process = subprocess.Popen(
            [WEIR, "run", "topology.yaml", *options], cwd=self.folder,
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, preexec_fn=unlimited)
        process.stdin.write(b"boom\n")
        process.stdin.close()
        said = process.stderr.read().decode()
        process.stderr.close()
        status = os.waitpid(process.pid, 0)[1]
        process.returncode = 0
        self.assertEqual(os.WTERMSIG(status), signal.SIGABRT)
        return os.WCOREDUMP(status), said

    def test_a_process_with_secrets_leaves_none(self):
        self.topology("stdin", password="${file:secret}")
        left, said = self.crash()
        self.assertIn("dumpable 0, no core\n", said)
        self.assertFalse(left)

    def test_a_process_that_is_allowed_to_is_left_alone(self):
        self.topology("stdin", password="${file:secret}")
        _, said = self.crash("--set", "core_files=true")
        self.assertIn("dumpable 1,", said)

    def test_a_process_without_secrets_is_left_alone(self):
        text = TOPOLOGY.format(producer="stdin", sink="discard")
        self.write("topology.yaml", text.replace("token: 'PASSWORD'",
                                                 "plain: here"))
        _, said = self.crash()
        self.assertIn("dumpable 1,", said)


if __name__ == "__main__":
    unittest.main()
