"""A `weir run` that goes on while the test does something to its surroundings."""
import json
import os
import signal
import subprocess
import time

import harness
import outputs
from harness import Failed, expect, expect_equal

TOPOLOGY = """name: {name}
producer:
  {producer}
processors:
  handler: {handler}
  concurrency: 2
  {processors}
batchers:
  default:
    batch_size: {batch_size}
    batch_timeout: 50ms
    sink: {sink}
  {more}
failure: {failure}
shutdown: {{ timeout: {timeout} }}
"""


def command():
    return os.environ.get("WEIR", "weir")


def topology(folder, producer, **values):
    """Writes one with what a test doesn't care for filled in."""
    name = values.get("name", "run")
    parts = {"name": name, "producer": producer, "handler": "passthrough",
             "processors": "ordering: none", "batch_size": 100,
             "sink": f"{{ file: {{ path: {folder}/out, fsync: never }} }}",
             "more": "", "failure": "{ then: drop }", "timeout": "30s", **values}
    path = f"{folder}/{name}.yaml"
    with open(path, "w", encoding="utf-8") as file:
        file.write(TOPOLOGY.format(**parts))
    return path


def witness(folder, **options):
    """The handler of witness.c with these options, for `handler:`."""
    built = f"{folder}/witness.so"
    if not os.path.exists(built):
        source = f"{harness.ROOT}/tests/system/witness.c"
        result = subprocess.run(
            [command(), "cc", "-Werror", source, "-o", built], check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=harness.RUN_TIMEOUT_S)
        expect_equal(result.returncode, 0, f"weir cc: {result.stdout}")
    written = ", ".join(f"{key}: {json.dumps(value)}"
                        for key, value in options.items())
    return f"{{ plugin: {built}, options: {{ {written} }} }}"


def lines_of(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().splitlines()


class Live:
    """One `weir run`, from its start to `end()`, or killed with the block."""

    def __init__(self, path, options=(), **streams):
        self.path, self.report = path, {}
        self.stderr_path, self.report_path = f"{path}.stderr", f"{path}.report"
        for old in (self.stderr_path, self.report_path):
            if os.path.exists(old):
                os.remove(old)
        with open(self.stderr_path, "wb") as stderr:
            self.process = subprocess.Popen(
                [command(), "run", path, "--report", self.report_path,
                 *harness.READABLE, *options],
                stderr=stderr, **{"stdin": subprocess.DEVNULL, **streams})

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if kind and issubclass(kind, (Failed, KeyError)):
            print(f"{os.path.basename(self.path)} said:\n{self.log[-6000:]}")

    @property
    def log(self):
        return "\n".join(lines_of(self.stderr_path))

    def await_log(self, *texts):
        """Until one of them was said."""
        def is_said():
            found = any(text in self.log for text in texts)
            expect(self.process.poll() is None or found,
                   f"ended with {self.process.poll()} without {texts}")
            return found
        harness.await_that(is_said, f"a log line with one of {texts}")

    def send(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait(self, timeout=harness.RUN_TIMEOUT_S):
        """Its exit code; negative where a signal ended it."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failed(f"still runs after {timeout} s") from None
        # Empty where a signal ended it.
        self.report = json.loads("".join(lines_of(self.report_path)) or "{}")
        outputs.keep("live", self.log)
        outputs.keep("report", "\n".join(lines_of(self.report_path)))
        expect_equal(outputs.found_in(self.log), [], "secrets in the log")
        return code

    def expect_end(self, code=0, number=signal.SIGTERM):
        """Ends it (`number` None: it does so itself); the ledger balances."""
        if number is not None:
            self.send(number)
        expect_equal(self.wait(), code, "exit code")
        self.expect_balance()

    def expect_balance(self):
        report = self.report
        expect_equal(report["in_flight"], 0, "in flight at the end")
        expect_equal(report["received"], sum(
            report[name] for name in ("done", "rejected", "abandoned")),
            f"received, of {report}")


class Clock:
    """How long something took; only for upper bounds that are promises."""

    def __init__(self):
        self.begin = time.monotonic()

    def seconds(self):
        return time.monotonic() - self.begin


def expect_each(found, wanted, what):
    """All of `wanted`, however often, and nothing else."""
    missing, surplus = set(wanted) - set(found), set(found) - set(wanted)
    expect(not missing and not surplus,
           f"{what}: {len(missing)} missing, such as {sorted(missing)[:3]}; "
           f"not sent: {sorted(surplus)[:3]}")
