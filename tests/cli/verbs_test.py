"""verbs_test.py - what every verb prints where, and with which exit code."""

import os
import re
import subprocess
import unittest

from command import CommandTest, weir

# Of the connectors that this build has.
LIBRARIES = os.environ["WEIR_LIBRARIES"].split()

TOPOLOGY = """\
name: flow
producer: stdin
processors:
  handler: passthrough
  concurrency: 2
batchers:
  default:
    batch_size: 10
    sink: stdout
failure:
  then: drop
"""

PLAIN = """\
#include <weir/handler.h>

static enum weir_status pass(struct weir_message *msg, void *state)
{
    (void)msg;
    (void)state;
    return WEIR_OK;
}

WEIR_HANDLER(plain, .handle_message = pass);
"""


def verbs():
    lines = weir("--help").stdout.splitlines()
    return [line.split()[0] for line in lines if line.startswith("  ")]


class Help(CommandTest):
    def test_without_a_verb_the_usage_goes_to_standard_error(self):
        self.assert_usage(weir(), "usage: weir VERB")

    def test_help_goes_to_standard_output(self):
        for form in ("--help", "-h", "help"):
            result = weir(form)
            self.assertEqual(result.returncode, 0)
            self.assertIn("usage: weir VERB", result.stdout)
            self.assertEqual(result.stderr, "")

    def test_every_verb_has_a_help_with_an_example(self):
        self.assertIn("check", verbs())
        for verb in verbs():
            with self.subTest(verb=verb):
                result = weir(verb, "--help")
                self.assertEqual(result.returncode, 0)
                self.assertRegex(result.stdout, r"examples?:\n  .*weir " + verb)
                self.assertEqual(weir("help", verb).stdout, result.stdout)

    def test_every_verb_refuses_an_option_it_does_not_have(self):
        for verb in verbs():
            if verb != "cc":  # where it is the compiler's
                with self.subTest(verb=verb):
                    self.assert_usage(weir(verb, "--absent"),
                                      "there is no option --absent")

    def test_an_unknown_verb_is_a_usage_error_with_a_suggestion(self):
        self.assert_usage(weir("chekc"), "did you mean `check`?")

    def test_output_that_can_not_be_written_is_an_error(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            result = subprocess.run([os.environ["WEIR"], "list"], stdout=full,
                                    stderr=subprocess.PIPE, text=True,
                                    check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("standard output", result.stderr)


class Version(CommandTest):
    def test_it_names_weir_and_the_client_libraries(self):
        result = weir("version")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stdout, r"^weir \d+\.\d+\.\d+\n")
        for library in LIBRARIES:
            self.assertRegex(result.stdout, r"\n" + library + r" \d+\.\d+")
        self.assertEqual(weir("--version").stdout, result.stdout)


class List(CommandTest):
    def test_it_lists_connectors_and_each_can_be_described(self):
        result = weir("list")
        self.assertEqual(result.returncode, 0)
        rows = re.findall(r"^  (\S+) +\S", result.stdout, re.MULTILINE)
        self.assertIn("stdout", rows)
        self.assertIn("passthrough", rows)
        for name in set(rows) - {"plugin", "linked"}:
            with self.subTest(name=name):
                described = weir("describe", name)
                self.assertEqual(described.returncode, 0)
                self.assertIn(name, described.stdout)

    def test_describe_shows_type_default_and_help_of_each_option(self):
        result = weir("describe", "file")
        self.assertRegex(result.stdout, r"  path +path, required\n +\S")
        self.assertRegex(result.stdout, r"  format +\S*lines.*default lines")

    def test_the_reference_page_has_every_connector(self):
        result = weir("describe", "--reference")
        self.assertEqual(result.returncode, 0)
        self.assertTrue(result.stdout.startswith("<!-- Generated"))
        for name in ("generator", "stdin", "file", "discard"):
            self.assertIn(name, result.stdout)

    def test_describe_wants_a_name_or_the_whole_reference(self):
        self.assert_usage(weir("describe"), "give a NAME, or --reference")
        self.assert_usage(weir("describe", "file", "--reference"),
                          "give a NAME, or --reference")

    def test_every_name_that_the_help_and_the_list_have_is_described(self):
        for name in ("topology", "producer", "processors", "handler",
                     "batchers", "failure", "shutdown", "log", "passthrough",
                     "plugin", "stdin"):
            self.assertEqual(weir("describe", name).returncode, 0, name)

    def test_an_unknown_connector_is_a_usage_error_with_a_suggestion(self):
        self.assert_usage(weir("describe", "stdot"), "did you mean `stdout`?")


class Check(CommandTest):
    def test_a_good_topology_is_ok(self):
        file = self.write("topology.yaml", TOPOLOGY)
        result = weir("check", file)
        self.assertEqual((result.returncode, result.stdout),
                         (0, f"{file}: ok\n"), result.stderr)

    def test_all_errors_are_printed_at_once_with_their_place(self):
        file = self.write("topology.yaml",
                          TOPOLOGY.replace("batch_size: 10", "batch_sise: 10")
                          .replace("then: drop", "then: dorp"))
        result = weir("check", file)
        self.assertEqual(result.returncode, 78)
        self.assertEqual(result.stdout, "")
        self.assertIn(f"{file}:8:5: ", result.stderr)
        self.assertIn("did you mean `batch_size`?", result.stderr)
        self.assertIn(f"{file}:11:9: failure.then: ", result.stderr)

    def test_a_file_that_is_not_there_is_a_configuration_error(self):
        result = weir("check", self.path("absent.yaml"))
        self.assertEqual(result.returncode, 78)
        self.assertIn("absent.yaml", result.stderr)

    def test_a_plugin_that_can_not_be_loaded_is_refused(self):
        self.write("no.so", "no plugin\n")
        file = self.write("topology.yaml",
                          TOPOLOGY.replace("passthrough", "{ plugin: ./no.so }"))
        result = weir("check", file)
        self.assertEqual(result.returncode, 78)
        self.assertRegex(result.stderr, r"^\S+topology\.yaml:4:22: "
                         r"processors\.handler\.plugin: \S+ \S+no\.so: "
                         r"is not a shared object")

    def test_a_warning_begins_with_its_place_and_is_no_error(self):
        file = self.write("topology.yaml", TOPOLOGY.replace(
            "failure:", "  more: { sink: discard }\nfailure:"))
        result = weir("check", file)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(f"{file}:10:3: batchers.more: warning: ", result.stderr)
        self.assertEqual(result.stderr.count("warning"), 1)

    def test_one_value_can_be_replaced(self):
        file = self.write("topology.yaml", TOPOLOGY)
        good = weir("check", file, "--set", "batchers.default.batch_size=20")
        self.assertEqual(good.returncode, 0, good.stderr)
        bad = weir("check", file, "--set", "batchers.default.batch_size=many")
        self.assertEqual(bad.returncode, 78)
        self.assertIn("batch_size", bad.stderr)

    def test_every_batcher_that_the_handler_can_not_serve_has_its_place(self):
        self.write("plain.c", PLAIN)
        made = self.weir("cc", "plain.c")
        self.assertEqual(made.returncode, 0, made.stderr)
        file = self.write("topology.yaml", TOPOLOGY.replace(
            "passthrough", "{ plugin: ./plain.so }").replace(
                "    sink: stdout\n", "  other: {}\n"))
        result = weir("check", file)
        self.assertEqual(result.returncode, 78)
        self.assertIn(f"{file}:7:3: batchers.default.sink: ", result.stderr)
        self.assertIn(f"{file}:9:3: batchers.other.sink: ", result.stderr)
        self.assertEqual(result.stderr.count("handle_batch"), 2)

    def test_more_producers_than_there_can_be_are_refused(self):
        file = self.write("topology.yaml", TOPOLOGY.replace(
            "producer: stdin", "producer: { generator: {}, concurrency: 65 }"))
        result = weir("check", file)
        self.assertEqual(result.returncode, 78)
        self.assertIn(f"{file}:2:41: producer.concurrency: ", result.stderr)

    def test_a_batcher_without_a_sink_needs_handle_batch(self):
        file = self.write("topology.yaml",
                          TOPOLOGY.replace("    sink: stdout\n", ""))
        result = weir("check", file)
        self.assertEqual(result.returncode, 78)
        self.assertIn("handle_batch", result.stderr)


class Graph(CommandTest):
    def graph(self, *arguments):
        result = weir("graph", self.write("topology.yaml", TOPOLOGY),
                      *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def test_as_text_it_reads_from_left_to_right(self):
        self.assertRegex(self.graph(), r"^flow\n  stdin x1\n"
                         r"    -> passthrough x2, ordering none\n"
                         r"      -> default: 10 messages, \S+ or \S+ -> "
                         r"stdout x1\n"
                         r"  rejected, or failed \d+ times -> drop\n$")

    def test_as_mermaid_every_node_is_connected(self):
        text = self.graph("--format", "mermaid")
        self.assertTrue(text.startswith("flowchart LR\n"))
        self.assertIn('processors --> batcher0["default', text)

    def test_as_dot_the_braces_match(self):
        text = self.graph("--format=dot")
        self.assertEqual(text.count("{"), text.count("}"))
        self.assertIn("processors -> batcher0 -> sink0;", text)

    def test_dead_letters_come_from_what_failed(self):
        path = self.write("topology.yaml", TOPOLOGY.replace(
            "batchers:", "batchers:\n  dead_letter: { sink: discard }").replace(
                "then: drop", "then: dead_letter"))
        text = weir("graph", path, "--format", "dot").stdout
        self.assertIn("failure -> batcher1 -> sink1;", text)
        text = weir("graph", path, "--format", "mermaid").stdout
        self.assertIn('failure --> batcher1["dead_letter', text)

    def test_another_format_is_a_usage_error(self):
        self.assert_usage(weir("graph", "x.yaml", "--format", "svg"),
                          "text, mermaid or dot")


if __name__ == "__main__":
    unittest.main()
