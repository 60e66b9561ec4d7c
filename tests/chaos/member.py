"""One weir after another in the same place: started, killed, started again."""
import json
import os
import re
import signal
import subprocess
import time

import harness
from harness import await_that, expect
from nodes.process import die_with_parent

STARTED = ("gives this member", "amqp: prefetch=")
EPOCH = {"kafka": re.compile("gives this member [1-9]"),
         "amqp": re.compile("amqp: prefetch=")}
GIVEN = {"kafka": r"gives this member (\d+)", "amqp": "amqp: prefetch="}
LEDGER = ("done", "rejected", "abandoned", "in_flight")


class Run:
    """One process: `owner` is what its lines are signed with."""

    def __init__(self, member, owner):
        self.owner, self.is_asked = owner, False
        self.log_path = f"{member.folder}/{owner}.log"
        self.report_path = f"{member.folder}/{owner}.json"
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [*member.around, os.environ.get("WEIR", "weir"), "run",
                 member.topology, "--report", self.report_path],
                stdin=subprocess.DEVNULL, stdout=member.stdout or log,
                stderr=log, env={**os.environ, "CHAOS_OWNER": owner,
                                 **member.variables},
                preexec_fn=die_with_parent)

    @property
    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    @property
    def report(self):
        if not os.path.exists(self.report_path):
            return {}
        with open(self.report_path, encoding="utf-8") as file:
            return json.load(file)

    def is_alive(self):
        return self.process.poll() is None

    def epochs(self, source):
        return len(EPOCH[source].findall(self.log))

    def given(self, source):
        """How many partitions all its epochs had; an AMQP channel is one."""
        found = re.findall(GIVEN[source], self.log)
        return sum(map(int, found)) if source == "kafka" else len(found)


class Member:
    """The topology is fixed; each start is another run with its own name."""

    def __init__(self, name, folder, topology):
        self.name, self.folder = name, folder
        self.topology = f"{folder}/{name}.yaml"
        self.runs, self.around, self.stdout, self.variables = [], [], None, {}
        self.slowest_end_s = 0
        with open(self.topology, "w", encoding="utf-8") as file:
            file.write(topology)

    @property
    def run(self):
        return self.runs[-1]

    def start(self):
        self.runs.append(Run(self, f"{self.name}{len(self.runs)}"))
        return self.run

    def await_started(self):
        def is_said():
            expect(self.run.is_alive(), f"{self.run.owner} ended by itself:\n"
                   f"{self.run.log[-2000:]}")
            return any(text in self.run.log for text in STARTED)
        await_that(is_said, f"{self.run.owner} has messages to read")

    def strange_end(self):
        """It ended, and nobody asked it to."""
        if self.run.is_alive() or self.run.is_asked:
            return []
        self.run.is_asked = True
        return [f"{self.run.owner} ended by itself with "
                f"{self.run.process.poll()}"]

    def kill(self):
        self.run.is_asked = True
        self.run.process.kill()
        self.run.process.wait(harness.WAIT_TIMEOUT_S)

    def end(self, timeout_s, codes=(0,)):
        """SIGTERM; returns what is wrong about its end, or None."""
        run = self.run
        run.is_asked = True
        begun = time.monotonic()
        run.process.send_signal(signal.SIGTERM)
        try:
            code = run.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return f"{run.owner} still runs {timeout_s} s after SIGTERM"
        self.slowest_end_s = max(self.slowest_end_s, time.monotonic() - begun)
        if code not in codes:
            return f"{run.owner} ended with {code}"
        return self.imbalance()

    def imbalance(self):
        report = self.run.report
        if not report:
            return f"{self.run.owner} left no report"
        if report["received"] != sum(report[name] for name in LEDGER) or \
                report["in_flight"] != 0:
            return f"{self.run.owner}: the ledger doesn't balance: {report}"
        return None

    def destroy(self):
        if self.runs and self.run.is_alive():
            self.run.process.send_signal(signal.SIGCONT)
            self.kill()
