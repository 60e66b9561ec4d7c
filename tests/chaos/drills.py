"""The drills: which nemesis, on which path, how often; and running one."""
import contextlib
import tempfile
import time

import nemeses
from ends import AmqpEnd, AmqpSource, FileEnd, KafkaEnd, KafkaSource
from harness import Failed
from node import Node
from series import Report, Series


class Drill:
    """`quick` and `full` strikes; `repeats`: something must come again."""

    def __init__(self, strike, full, quick=1, **options):
        self.strike, self.full, self.quick = strike, full, quick
        self.sources = options.get("sources", ("kafka", "amqp"))
        self.repeats = options.get("repeats", False)
        self.pause = options.get("pause", (0.3, 1.2))
        self.members = options.get("members", 1)
        self.help = strike.__doc__.strip().splitlines()[0]


DRILLS = {
    "kill_weir": Drill(nemeses.kill_weir, 20, repeats=True),
}
SOURCES = {"kafka": KafkaSource, "amqp": AmqpSource}
BROKERS = {"kafka": "kafka", "amqp": "rabbitmq"}


class Place:
    """The brokers of a path, started when first asked for, and a folder."""

    def __init__(self, stack):
        self.stack, self.nodes = stack, {}

    def node(self, kind):
        if kind not in self.nodes:
            self.nodes[kind] = self.stack.enter_context(Node(BROKERS[kind]))
        return self.nodes[kind]

    def end(self, kind, folder):
        if kind == "file":
            return FileEnd(folder)
        return {"kafka": KafkaEnd, "amqp": AmqpEnd}[kind](self.node(kind))


class Job:
    """One line of the table."""

    def __init__(self, name, path, ordering, seed, strikes):
        self.name, self.drill = name, DRILLS[name]
        self.path, self.ordering, self.seed = path, ordering, seed
        self.strikes = strikes

    def run(self, place):
        source, end = self.path.split("-")
        report = Report(self.name, f"{self.path} {self.ordering}", self.seed)
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="weir-chaos-") as folder:
            series = None
            try:
                series = Series(folder, SOURCES[source](place.node(source)),
                                place.end(end, folder), self.ordering,
                                f"{self.name}:{self.seed}")
                series.run(self.drill.strike, self.strikes, self.drill.pause)
                series.judge(report, self.drill.repeats)
            except Failed as failure:
                report.faults.append(str(failure))
                with contextlib.suppress(Exception):
                    series.judge(report, False)
            if report.faults and series:
                report.said = [(run.owner, run.log[-3000:])
                               for run in series.runs()[-3:]]
        report.took_s = time.monotonic() - begun
        return report


def quick(seed):
    for path, ordering in (("kafka-file", "key"), ("amqp-file", "none")):
        for name, drill in DRILLS.items():
            if path.split("-")[0] in drill.sources:
                yield Job(name, path, ordering, seed, drill.quick)


def full(seed):
    for path, ordering in (("kafka-file", "none"), ("kafka-file", "partition"),
                           ("kafka-file", "key"), ("amqp-file", "none")):
        for name, drill in DRILLS.items():
            if path.split("-")[0] in drill.sources:
                yield Job(name, path, ordering, seed, drill.full)
