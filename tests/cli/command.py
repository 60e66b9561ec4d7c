"""command.py - calls the weir command that $WEIR names."""

import os
import subprocess
import sys
import tempfile
import unittest

WEIR = os.environ["WEIR"]
SOURCE = os.environ["WEIR_SOURCE"]
sys.path.insert(0, f"{SOURCE}/tests/support")

import outputs  # pylint: disable=wrong-import-position

# Of a handler in C: with the option `broken` it fails.
BREAKABLE_INIT = """
static enum weir_status init(const struct weir_worker *worker,
                             const struct weir_settings *options,
                             void **ret_state, struct weir_error *err)
{
    (void)worker;
    (void)ret_state;
    if (weir_settings_bool(options, "broken", false))
        return weir_fail(err, WEIR_REJECT, "no table of prices");
    return WEIR_OK;
}
"""


def weir(*arguments, stdin="", timeout=60, **options):
    """Runs it to its end; text in, text out."""
    result = subprocess.run([WEIR, *arguments], input=stdin, text=True,
                            capture_output=True, timeout=timeout, check=False,
                            **options)
    outputs.keep("weir", result.stdout + result.stderr)
    return result


class CommandTest(unittest.TestCase):
    """A test with a folder of its own, which is also the working folder."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="weir-cli-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as out:
            out.write(text)
        return self.path(name)

    def weir(self, *arguments, **options):
        options.setdefault("cwd", self.folder)
        return weir(*arguments, **options)

    def assert_usage(self, result, text):
        self.assertEqual(result.returncode, 64, result.stderr)
        self.assertIn(text, result.stderr)
        self.assertEqual(result.stdout, "")
