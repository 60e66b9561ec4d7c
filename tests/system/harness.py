"""What the system tests share: the program, the brokers, loud skips.

A test is a script that exits with 0, 77 (skipped, with the reason as its last
line) or anything else.  The environment says where things are:

WEIR               the command (default: weir)
WEIR_HANDLER_PATH  the folder of access_log.so
WEIR_KAFKA         host:port of a broker, WEIR_AMQP an amqp:// URL
"""
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
ACCESS_LOG = f"{ROOT}/examples/access_log"
# Lines for people, though nobody's terminal is there; a topology may differ.
READABLE = ("--set", "log.format=text")
RUN_TIMEOUT_S = 300
WAIT_TIMEOUT_S = 60

sys.dont_write_bytecode = True
sys.path.insert(0, f"{ROOT}/scripts")
sys.path.insert(0, f"{ROOT}/tests/support")

import outputs  # pylint: disable=wrong-import-position


class Failed(Exception):
    """A promise that did not hold; the text says which."""


def expect(condition, text):
    if not condition:
        raise Failed(text)


def expect_equal(found, expected, what):
    expect(found == expected, f"{what}: {found!r}, expected {expected!r}")


def skip(reason):
    print(f"SKIPPED: {reason}")
    sys.exit(SKIPPED)


def broker(variable):
    """Where the broker is, or a skip; in CI a missing broker is a failure."""
    value = os.environ.get(variable)
    if value:
        return value
    if os.environ.get("WEIR_REQUIRE_BROKERS") == "1":
        raise Failed(f"{variable} is not set, and WEIR_REQUIRE_BROKERS is")
    return skip(f"{variable} is not set: `scripts/brokers run -- ctest ...` "
                "starts a broker and sets it")


def skip_if_sanitized():
    """For what measures memory."""
    with open(f"{os.environ['WEIR_BUILD']}/CMakeCache.txt",
              encoding="utf-8") as cache:
        if "-fsanitize" in cache.read():
            skip("a sanitizer's memory is not weir's")


def is_small():
    return os.environ.get("WEIR_TEST_SMALL") == "1"


def await_that(condition, what):
    """Asks until it is so, or fails."""
    deadline = time.monotonic() + WAIT_TIMEOUT_S
    while not condition():
        expect(time.monotonic() < deadline,
               f"after {WAIT_TIMEOUT_S} s still not: {what}")
        time.sleep(0.02)


@contextlib.contextmanager
def scratch():
    folder = tempfile.mkdtemp(prefix="weir-test-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Run:
    """One `weir run`: its exit code, its report, what it said."""

    def __init__(self, topology, folder, variables=None, options=(),
                 stdin=None, stdout=None):
        report = f"{folder}/report.json"
        with open(f"{folder}/stderr", "wb") as stderr:
            self.exit_code = subprocess.run(
                [os.environ.get("WEIR", "weir"), "run", topology, "--report",
                 report, *READABLE, *options],
                env={**os.environ, **(variables or {})}, stdin=stdin,
                stdout=stdout, stderr=stderr, timeout=RUN_TIMEOUT_S,
                check=False).returncode
        with open(f"{folder}/stderr", encoding="utf-8",
                  errors="replace") as file:
            self.log = file.read()
        outputs.keep("run", self.log)
        self.report = {}
        if os.path.exists(report):
            with open(report, encoding="utf-8") as file:
                self.report = json.load(file)

    def expect_ledger(self, done, rejected):
        """Ended as asked, with every message accounted for."""
        try:
            expect_equal(self.exit_code, 0, "exit code")
            ledger = {name: self.report[name] for name in
                      ("received", "done", "rejected", "abandoned",
                       "in_flight")}
            expect_equal(ledger, {"received": done + rejected, "done": done,
                                  "rejected": rejected, "abandoned": 0,
                                  "in_flight": 0}, "the ledger")
        except (Failed, KeyError):
            print(f"weir said:\n{self.log[-4000:]}")
            raise


def main(tests):
    """Runs the test that the first argument names."""
    if len(sys.argv) != 2 or sys.argv[1] not in tests:
        print(f"usage: {sys.argv[0]} {'|'.join(tests)}", file=sys.stderr)
        sys.exit(64)
    try:
        tests[sys.argv[1]]()
    except Failed as failure:
        print(f"FAILED: {failure}")
        sys.exit(1)
    print("passed")
