"""cc_test.py - handlers compiled by `weir cc`."""

import os
import unittest

from command import CommandTest

GOOD = """\
#include <weir/handler.h>

static enum weir_status handle_message(struct weir_message *msg, void *state)
{
    (void)state;
    return weir_message_reject(msg, "no");
}

WEIR_HANDLER(good, .handle_message = handle_message);
"""

TOPOLOGY = """\
name: flow
producer: stdin
processors: { handler: { plugin: ./good.so } }
batchers: { default: { sink: stdout } }
failure: { then: drop }
"""


class Compile(CommandTest):
    def assert_usable(self):
        self.write("topology.yaml", TOPOLOGY)
        result = self.weir("check", "topology.yaml")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_a_c_file_becomes_a_plugin_without_a_warning(self):
        self.write("good.c", GOOD)
        result = self.weir("cc", "good.c", "-o", "good.so")
        self.assertEqual((result.returncode, result.stdout + result.stderr),
                         (0, ""))
        self.assert_usable()

    def test_without_an_output_it_is_named_after_the_source(self):
        os.mkdir(self.path("src"))
        self.write("src/good.c", GOOD)
        self.assertEqual(self.weir("cc", "src/good.c").returncode, 0)
        self.assert_usable()

    def test_a_cxx_file_becomes_a_plugin_without_a_warning(self):
        self.write("good.cc", GOOD.replace("(void)state;",
                                           "static_cast<void>(state);"))
        result = self.weir("cc", "good.cc", "-o", "good.so")
        self.assertEqual((result.returncode, result.stdout + result.stderr),
                         (0, ""))
        self.assert_usable()

    def test_several_files_may_be_one_handler(self):
        self.write("part.cpp", 'extern "C" int part() { return 1; }\n')
        self.write("good.c", GOOD.replace("static enum", "int part(void);\n"
                                          "static enum", 1)
                   .replace("(void)state;", "(void)state; (void)part();"))
        result = self.weir("cc", "good.c", "part.cpp", "-o", "good.so")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_usable()

    def test_a_misspelled_call_fails_here_and_not_at_the_start(self):
        self.write("good.c", GOOD.replace("weir_message_reject",
                                          "weir_mesage_reject")
                   .replace("static enum",
                            "int weir_mesage_reject(struct weir_message *, "
                            "const char *);\nstatic enum", 1))
        result = self.weir("cc", "good.c", "-o", "good.so", "-w")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("weir_mesage_reject", result.stderr)

    def test_other_options_go_to_the_compiler(self):
        self.write("good.c", "#if LEVEL != 3\n#error level\n#endif\n" + GOOD)
        result = self.weir("cc", "good.c", "-o", "good.so", "-DLEVEL=3")
        self.assertEqual(result.returncode, 0, result.stderr)
        bad = self.weir("cc", "good.c", "-o", "good.so")
        self.assertNotEqual(bad.returncode, 0)

    def test_the_compiler_can_be_chosen_with_its_own_words(self):
        self.write("good.c", GOOD)
        environment = dict(os.environ, CC="env WEIR_TEST=1 cc")
        result = self.weir("cc", "good.c", "-o", "good.so", env=environment)
        self.assertEqual(result.returncode, 0, result.stderr)
        environment["CC"] = "no-such-compiler"
        result = self.weir("cc", "good.c", "-o", "good.so", env=environment)
        self.assertEqual(result.returncode, 1)
        self.assertIn("no-such-compiler", result.stderr)

    def test_without_a_source_it_is_a_usage_error(self):
        self.assert_usage(self.weir("cc", "-o", "good.so"),
                          "FILE.c is missing")


if __name__ == "__main__":
    unittest.main()
