"""try_test.py - what `weir try` says of each line."""

import json
import unittest

from command import BREAKABLE_INIT, CommandTest

HANDLER = """\
#include <string.h>
#include <weir/handler.h>
""" + BREAKABLE_INIT + """
static enum weir_status prepare(struct weir_message *const *messages,
                                size_t count, void *state)
{
    (void)state;
    for (size_t i = 0; i < count; i++)
        weir_message_set_batch_key(messages[i], WEIR_STR("prepared"));
    return WEIR_OK;
}

static enum weir_status handle(struct weir_message *msg, void *state)
{
    const char *line = (const char *)weir_message_payload(msg).data;

    (void)state;
    if (strcmp(line, "done") == 0)
        return WEIR_DONE;
    if (strcmp(line, "retry") == 0)
        return weir_message_retry_after(msg, 10);
    if (strcmp(line, "reject") == 0)
        return weir_message_reject(msg, "line %s", "is bad");
    if (strcmp(line, "silent") == 0)
        return WEIR_REJECT;
    if (strcmp(line, "fatal") == 0)
        return WEIR_FATAL;
    if (strcmp(line, "nonsense") == 0)
        return (enum weir_status)42;
    if (strcmp(line, "audit") == 0)
        weir_message_route(msg, "audit");
    if (strcmp(line, "nowhere") == 0)
        weir_message_route(msg, "nowhere");
    if (strcmp(line, "binary") == 0)
        return weir_message_set_payload(msg,
                                        (struct weir_bytes){"\\xff\\0", 2});
    if (strcmp(line, "null") == 0)
        return weir_message_set_payload(msg, (struct weir_bytes){NULL, 0});
    return WEIR_OK;
}

WEIR_HANDLER(judge, .init = init, .prepare_messages = prepare,
             .handle_message = handle);
"""

TOPOLOGY = """\
name: flow
producer: { stdin: {}, max_message_bytes: 1KiB }
processors: { handler: { plugin: ./judge.so } }
batchers:
  default: { sink: { file: { path: ./never-written } } }
  audit: { sink: stdout }
failure: { then: drop }
"""


class Try(CommandTest):
    def setUp(self):
        super().setUp()
        self.write("judge.c", HANDLER)
        self.write("topology.yaml", TOPOLOGY)
        built = self.weir("cc", "judge.c")
        self.assertEqual(built.returncode, 0, built.stderr)

    def outcomes(self, *lines, code=0):
        result = self.weir("try", "topology.yaml",
                           stdin="".join(line + "\n" for line in lines))
        self.assertEqual(result.returncode, code, result.stderr)
        return [json.loads(line) for line in result.stdout.splitlines()]

    def outcome(self, line):
        return self.outcomes(line)[0]

    def test_a_message_that_goes_on_shows_its_way(self):
        self.assertEqual(self.outcome("hello"), {
            "outcome": "ok", "reason": None, "batcher": "default",
            "batch_key": "prepared", "payload": "hello"})
        self.assertEqual(self.outcome("audit")["batcher"], "audit")

    def test_each_answer_of_the_handler_is_an_outcome(self):
        answers = self.outcomes("done", "retry", "reject", "silent")
        self.assertEqual([answer["outcome"] for answer in answers],
                         ["done", "retry", "reject", "reject"])
        self.assertEqual([answer["batcher"] for answer in answers], [None] * 4)
        self.assertEqual(answers[2]["reason"], "line is bad")
        self.assertEqual(answers[3]["reason"], "rejected by the handler")

    def test_what_a_failed_callback_changed_is_forgotten(self):
        self.assertIsNone(self.outcome("reject")["batch_key"])

    def test_nonsense_and_unknown_batchers_are_rejected_with_the_reason(self):
        self.assertIn("42", self.outcome("nonsense")["reason"])
        answer = self.outcome("nowhere")
        self.assertEqual(answer["outcome"], "reject")
        self.assertIn("nowhere", answer["reason"])

    def test_a_fatal_answer_ends_it(self):
        answers = self.outcomes("one", "fatal", "two", code=70)
        self.assertEqual([answer["outcome"] for answer in answers],
                         ["ok", "fatal"])

    def test_a_payload_that_is_no_text_is_base64(self):
        answer = self.outcome("binary")
        self.assertEqual(answer["payload_base64"], "/wA=")
        self.assertNotIn("payload", answer)
        self.assertIsNone(self.outcome("null")["payload"])

    def test_a_line_that_is_too_long_never_reaches_the_handler(self):
        answers = self.outcomes("x" * 2000, "next")
        self.assertEqual(answers[0]["outcome"], "reject")
        self.assertIn("2000 bytes", answers[0]["reason"])
        self.assertEqual(answers[1]["outcome"], "ok")

    def test_no_line_no_outcome(self):
        self.assertEqual(self.outcomes(), [])

    def test_an_init_that_fails_is_a_configuration_error(self):
        self.write("topology.yaml", TOPOLOGY.replace(
            "./judge.so }", "./judge.so, options: { broken: true } }"))
        result = self.weir("try", "topology.yaml", stdin="one\n")
        self.assertEqual(result.returncode, 78)
        self.assertIn("no table of prices", result.stderr)


if __name__ == "__main__":
    unittest.main()
