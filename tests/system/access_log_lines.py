"""The input of the access-log tests, and what must become of it.

The expected objects are made here a second time, by a regular expression and
Python's own JSON, so that the test and the handler can't be wrong together by
sharing code.  For the real log there is a third count, by quotes alone (awk).
"""
import collections
import os
import re
import subprocess

import harness

FIELDS = ("host", "user", "time", "method", "path", "protocol", "status",
          "bytes", "referer", "agent")
QUOTED = rb'"((?:[^"\\]|\\.)*)"'
MONTH = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
LINE = re.compile(
    rb"(\S+) \S+ (\S+) "
    rb"\[(\d\d/" + MONTH + rb"/\d{4}(?::\d\d){3} [+-]\d{4})\] "
    rb'"([A-Z]+) ((?:[^"\\]|\\.)+) ([A-Z]+/[\d.]+)" (\d{3}) (\d+|-) '
    + QUOTED + b" " + QUOTED, re.DOTALL)
AWK = "NF==7 {split($3,f,\" \"); print f[1]}"

NOT_LOG_LINES = (
    b"this is no log line",
    b"{\"host\":\"192.0.2.1\",\"status\":200}",
    b"\xff\xfe\x00\x01\x02 binary \xc3",
    b"192.0.2.1 - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 2OO 5 "
    b"\"-\" \"the status is spelled with letters\"",
    b"192.0.2.1 - - [31/Foo/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 5 "
    b"\"-\" \"no such month\"",
    b"192.0.2.1 - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 5 "
    b"\"-\" \"ends with an escaped quote\\\"",
    b"192.0.2.1 - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 5 "
    b"\"-\" \"-\" and more",
)


class Input:
    """`lines` to send; `objects` and `rejected` that must come of them."""

    def __init__(self, path, added=()):
        with open(path, "rb") as file:
            self.lines = file.read().splitlines()
        self.path = path
        # Spread over the log, the first one at its front.
        step = len(self.lines) // (len(added) or 1)
        for index, line in enumerate(added):
            self.lines.insert(index * (step + 1), line)
        self.objects, self.rejected = collections.Counter(), []
        for line in self.lines:
            match = LINE.fullmatch(line)
            if match:
                self.objects[values_of(match)] += 1
            else:
                self.rejected.append(line)

    @property
    def delivered(self):
        return sum(self.objects.values())


def values_of(match):
    undone = [re.sub(rb'\\(["\\])', rb"\1", group).decode()
              for group in match.groups()]
    undone[FIELDS.index("status")] = int(match[7])
    undone[FIELDS.index("bytes")] = None if match[8] == b"-" else int(match[8])
    return tuple(undone)


SAMPLE = f"{harness.ACCESS_LOG}/sample.log"


def real_log():
    """The path of the real log, or a skip."""
    if harness.is_small():
        harness.skip("WEIR_TEST_SMALL is set; the sample is tested instead")
    folder = os.environ.get("WEIR_TEST_DATA")
    if not folder:
        harness.skip("WEIR_TEST_DATA, the folder with the real access.log, is "
                     "not set; the sample is tested instead")
    return f"{folder}/access.log"


def count_by_quotes(path):
    output = subprocess.run(["awk", "-F\"", AWK, path], check=True,
                            capture_output=True, text=True).stdout
    return collections.Counter(int(word) for word in output.split())


def expect_counts_of_real_log(log):
    """The real log is known: 9,999 lines, and line 8899 is cut off."""
    harness.expect_equal(log.delivered, 9999, "lines that are log lines")
    harness.expect_equal(log.rejected, [log.lines[8898]], "the others")


def expect_delivered(log, path, decode):
    """Each object once, and no other; `path` has one a line."""
    with open(path, "rb") as file:
        objects = [decode(line) for line in file]
    for found in objects:
        harness.expect_equal(tuple(found), FIELDS, "an object's fields")
    delivered = collections.Counter(tuple(found.values()) for found in objects)
    harness.expect(
        delivered == log.objects,
        f"missing: {list((log.objects - delivered).elements())[:3]}, "
        f"surplus: {list((delivered - log.objects).elements())[:3]}")
    if log.path != SAMPLE:
        by_status = collections.Counter(found["status"] for found in objects)
        harness.expect_equal(by_status, count_by_quotes(log.path),
                             "the numbers per status")
