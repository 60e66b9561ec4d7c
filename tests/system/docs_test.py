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


def known_tests():
    listed = subprocess.run(
        ["ctest", "--test-dir", os.environ["WEIR_BUILD"], "-N"], check=True,
        capture_output=True, text=True, timeout=harness.RUN_TIMEOUT_S).stdout
    return set(re.findall(r"Test +#\d+: (\S+)", listed))


def known_cases():
    """The functions of all tests: a case is one of them."""
    names = set()
    for path in glob.glob(f"{harness.ROOT}/tests/**/*.c", recursive=True):
        with open(path, encoding="utf-8") as file:
            names |= set(re.findall(r"^static void (\w+)\(", file.read(),
                                    re.MULTILINE))
    return names


def failures_have_tests():
    """Every row of docs/failure.md names a test, and each of them exists."""
    with open(f"{harness.ROOT}/docs/failure.md", encoding="utf-8") as file:
        text = file.read()
    rows = [row.rsplit("|", 2)[1] for row in text.splitlines()
            if row.startswith("| ") and "shown by" not in row and
            not row.startswith("| ---")]
    expect(len(rows) > 40, f"only {len(rows)} rows")
    rows += re.findall(r"^Shown by (.*?)\.$", text,
                       re.MULTILINE | re.DOTALL)
    tests, cases = known_tests(), known_cases()
    for row in rows:
        named = re.findall(r"`(\w+)`(?:: `(\w+)`)?", row)
        expect(named, f"no test in the row that ends with {row}")
        for test, case in named:
            expect(test in tests, f"{test}: CTest doesn't know it")
            expect(not case or case in cases, f"{test}: there is no {case}")


def promises_have_tests():
    with open(f"{harness.ROOT}/README.md", encoding="utf-8") as file:
        rows = file.read().split("| shown by |", 1)[1].split("\n\n", 1)[0]
    named = {name for row in rows.splitlines()[2:]
             for name in re.findall(r"`(\w+)`", row.rsplit("|", 2)[1])}
    expect(named, "the README names no test")
    expect_equal(named - known_tests(), set(),
                 "tests that the README names and CTest doesn't know")


if __name__ == "__main__":
    harness.main({"handlers_compile": handlers_compile,
                  "examples_pass_check": examples_pass_check,
                  "promises_have_tests": promises_have_tests,
                  "failures_have_tests": failures_have_tests})
