"""Handlers printed in the documentation compile, examples can be run, tests exist.

(That `yaml` blocks pass `weir check` is scripts/check's work.)
"""
import glob
import os
import re
import subprocess

import harness
from harness import expect, expect_equal

BLOCK = re.compile(r"^```c\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def handlers():
    """(page, source) of each block that defines a handler."""
    for page in sorted(glob.glob(f"{harness.ROOT}/docs/*.md")):
        with open(page, encoding="utf-8") as file:
            for source in BLOCK.findall(file.read()):
                if "WEIR_HANDLER(" in source:
                    yield os.path.relpath(page, harness.ROOT), source


def handlers_compile():
    found = list(handlers())
    expect(found, "the documentation has no handler to compile")
    for page, source in found:
        with harness.scratch() as folder:
            with open(f"{folder}/handler.c", "w", encoding="utf-8") as file:
                file.write(source)
            result = subprocess.run(
                [os.environ.get("WEIR", "weir"), "cc", "-Werror", "-Wpedantic",
                 f"{folder}/handler.c", "-o", f"{folder}/handler.so"],
                check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, timeout=harness.RUN_TIMEOUT_S)
            expect_equal(result.returncode, 0,
                         f"exit code for a handler of {page}:\n{source}\n"
                         f"{result.stdout}")


def examples_pass_check():
    found = sorted(glob.glob(f"{harness.ROOT}/examples/*/*.yaml"))
    expect(found, "there is no example to check")
    for topology in found:
        result = subprocess.run(
            [os.environ.get("WEIR", "weir"), "check", topology], check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=harness.RUN_TIMEOUT_S)
        expect_equal(result.returncode, 0,
                     f"exit code for {topology}:\n{result.stdout}")


def promises_have_tests():
    with open(f"{harness.ROOT}/README.md", encoding="utf-8") as file:
        rows = file.read().split("| shown by |", 1)[1].split("\n\n", 1)[0]
    named = {name for row in rows.splitlines()[2:]
             for name in re.findall(r"`(\w+)`", row.rsplit("|", 2)[1])}
    listed = subprocess.run(
        ["ctest", "--test-dir", os.environ["WEIR_BUILD"], "-N"], check=True,
        capture_output=True, text=True, timeout=harness.RUN_TIMEOUT_S).stdout
    expect(named, "the README names no test")
    expect_equal(named - set(re.findall(r"Test +#\d+: (\S+)", listed)), set(),
                 "tests that the README names and CTest doesn't know")


if __name__ == "__main__":
    harness.main({"handlers_compile": handlers_compile,
                  "examples_pass_check": examples_pass_check,
                  "promises_have_tests": promises_have_tests})
