"""The drills: which nemesis, on which path, how often; and running one."""
import contextlib
import tempfile
import time

import nemeses
from ends import AmqpEnd, AmqpSource, FileEnd, KafkaEnd, KafkaSource
from harness import Failed
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
    "restart_broker": Drill(nemeses.restart_broker, 5),
    "kill_broker": Drill(nemeses.kill_broker, 5),
    "freeze_broker": Drill(nemeses.freeze_broker, 5),
    "cut_link": Drill(nemeses.cut_link, 25),
    "stall_link": Drill(nemeses.stall_link, 25),
    "slow_link": Drill(nemeses.slow_link, 5),
    "refuse_link": Drill(nemeses.refuse_link, 10),
    "sigterm": Drill(nemeses.sigterm, 50),
    "stop_weir": Drill(nemeses.stop_weir, 5),
    "stand_still": Drill(nemeses.stand_still, 5),
}
SOURCES = {"kafka": KafkaSource, "amqp": AmqpSource}
ENDS = {"kafka": KafkaEnd, "amqp": AmqpEnd}


class Job:
    """One line of the table."""

    def __init__(self, name, path, ordering, seed, strikes):
        self.name, self.drill = name, DRILLS[name]
        self.path, self.ordering, self.seed = path, ordering, seed
        self.strikes = strikes

    def series(self, folder, place):
        source_kind, end_kind = self.path.split("-")
        source = SOURCES[source_kind](place)
        end = FileEnd(folder, source.lane) if end_kind == "file" \
            else ENDS[end_kind](place)
        return Series(folder, place, source, end, self.ordering,
                      f"{self.name}:{self.seed}")

    def run(self, place):
        report = Report(self.name, f"{self.path} {self.ordering}", self.seed)
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="weir-chaos-") as folder:
            series = None
            try:
                series = self.series(folder, place)
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
