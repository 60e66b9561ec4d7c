"""Handlers printed in the documentation compile, examples can be run, tests exist.

(That `yaml` blocks pass `weir check` is scripts/check's work.)
"""
import glob
import os
import re
import subprocess
import sys

import harness
from harness import expect, expect_equal

sys.path.insert(0, f"{harness.ROOT}/tests/chaos")
import drills  # noqa: E402

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


# Every event for which there is a promise; what waits for isolation by processes, for
# the admin interface comes with that.
MATRIX = {
    "The message": (
        "handler returns reject", "handler returns retry", "retries used up",
        "handler runs past `timeout`, thread isolation",
        "handler returns nonsense", "routed to an unknown batcher",
        "larger than `max_message_bytes`", "`prepare_messages` fails",
        "`handle_failed` fails", "sink: destination down",
        "sink: transient error of one message",
        "sink: permanent error for some", "dead-letter sink fails",
        "dead-letter sink refuses for good",
        "no outcome set by `handle_batch`", "settled early, fails later"),
    "Epochs": (
        "an epoch ends: what nobody has begun",
        "an epoch ends: what is in a callback or a sink",
        "a new epoch of the same lane", "a settlement comes late"),
    "Kafka": (
        "out-of-order completion", "one message never finishes",
        "broker down, up", "rebalance takes a partition",
        "partition lost (session expired)",
        "member joins and leaves, 20 times under load", "kill -9",
        "handler slower than `max.poll.interval.ms`",
        "coordinator or leader moves",
        "topic missing, created later; partitions added",
        "authorisation or authentication refused", "fatal client error",
        "SIGTERM while the broker is down, frozen or unreachable",
        "`start:` for a new group", "truncated or out-of-range offset",
        "a librdkafka property that weir owns"),
    "AMQP": (
        "connection cut, half-open, or refused", "connection flaps",
        "heartbeat missed by the broker", "pipeline full",
        "stopped for a third of `consumer_timeout`",
        "consumer cancelled by the server", "channel closed by an error",
        "consumer timeout (RabbitMQ's `consumer_timeout`)", "requeue",
        "reject", "delivery limit of quorum queues",
        "redelivered / `x-delivery-count` / `x-death`", "acknowledgements",
        "ordering with more than one consumer, or with requeue",
        "blocked connection (broker alarm)"),
    "The process": (
        "SIGTERM under load", "SIGTERM with a stuck sink",
        "SIGHUP", "kill -9 in the middle of a file write",
        "out of memory in any allocation", "disk full (file sink)",
        "clock steps", "restart budget used up"),
}


def failure_tables():
    """(the whole page, {section: {event: the cells behind it}})"""
    with open(f"{harness.ROOT}/docs/failure.md", encoding="utf-8") as file:
        text = file.read()
    tables = {}
    for section in text.split("\n## ")[1:]:
        title, _, body = section.partition("\n")
        rows = [[cell.strip() for cell in line.split("|")[1:-1]]
                for line in body.splitlines()
                if line.startswith("| ") and not line.startswith(
                    ("| event", "| ---"))]
        tables[title] = {row[0]: row[1:] for row in rows}
        expect_equal(len(tables[title]), len(rows), f"events of {title}")
    return text, tables


def failures_are_told():
    """Each promised event has its row: what happens, what is counted (where there
    is a count of its own), what shows it."""
    _, tables = failure_tables()
    for title, events in MATRIX.items():
        columns = 4 if title == "The message" else 3
        for event in events:
            cells = tables.get(title, {}).get(event)
            expect(cells, f"docs/failure.md, {title}: no row for '{event}'")
            expect(len(cells) == columns and cells[0] and cells[-1],
                   f"docs/failure.md, {title}: '{event}' has {cells}")


def known_counts():
    """What a report has."""
    with open(f"{harness.ROOT}/pipeline/pipeline.h", encoding="utf-8") as file:
        return set(re.findall(r"\b([a-z_]+)[,;]", file.read()))


def failures_have_tests():
    """Every row of docs/failure.md names what shows it, and each of that exists;
    so does what is counted."""
    text, tables = failure_tables()
    rows = [(event, cells) for table in tables.values()
            for event, cells in table.items()]
    expect(len(rows) > 60, f"only {len(rows)} rows")
    rows += [("below a table", ["", shown]) for shown in re.findall(
        r"^Shown by (.*?)\.$", text, re.MULTILINE | re.DOTALL)]
    tests, cases, counts = known_tests(), known_cases(), known_counts()
    for event, (*_, counted, shown) in rows:
        for name in re.findall(r"`(\w+)`", counted):
            expect(name in counts, f"{event}: nothing is counted as {name}")
        named = re.findall(r"`(\w+)`(?:: `(\w+)`)?", shown)
        expect(named, f"{event}: no test is named")
        for test, case in named:
            if test == "chaos":
                expect(case in drills.DRILLS, f"{event}: no drill {case}")
                continue
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
                  "failures_are_told": failures_are_told,
                  "failures_have_tests": failures_have_tests})
