"""The drills: which nemesis, on which path, how often; and running one."""
import contextlib
import os
import subprocess
import tempfile
import time

import nemeses
from ends import AmqpEnd, AmqpSource, FileEnd, KafkaEnd, KafkaSource
from harness import Failed
from memory import Memory
from series import Report, Series, built_handler


class Drill:
    """`quick` and `full` strikes; `needs`: what its place must have."""

    def __init__(self, strike, full, quick=1, **options):
        self.strike, self.full, self.quick = strike, full, quick
        self.sources = options.get("sources", ("kafka", "amqp"))
        self.ends = options.get("ends", ("file", "kafka", "amqp"))
        self.pause = options.get("pause", (0.3, 1.2))
        self.members = options.get("members", 1)
        self.needs = frozenset(options.get("needs", ()))
        self.keys = options.get("keys", {})
        self.properties = options.get("properties", {})  # of a Kafka client
        self.likes = frozenset(options.get("likes", ()))  # if it may
        self.seconds = options.get("seconds", 0)
        self.rate = options.get("rate", 1000)
        self.is_first_spared = options.get("is_first_spared", False)
        self.help = strike.__doc__.strip().splitlines()[0]

    def suits(self, path):
        source, end = path.split("-")
        return source in self.sources and end in self.ends


BROKER_ENDS = ("kafka", "amqp")
DRILLS = {
    "kill_weir": Drill(nemeses.kill_weir, 20),
    "restart_broker": Drill(nemeses.restart_broker, 5),
    "restart_static": Drill(nemeses.restart_static, 5, sources=("kafka",),
                            properties={"group.instance.id": "one"}),
    "kill_broker": Drill(nemeses.kill_broker, 5),
    "freeze_broker": Drill(nemeses.freeze_broker, 5),
    "cut_link": Drill(nemeses.cut_link, 25),
    "stall_link": Drill(nemeses.stall_link, 25),
    "slow_link": Drill(nemeses.slow_link, 5),
    "refuse_link": Drill(nemeses.refuse_link, 10),
    "cut_network": Drill(nemeses.cut_network, 10, needs=["namespace"]),
    "stall_network": Drill(nemeses.stall_network, 10, needs=["namespace"]),
    "slow_network": Drill(nemeses.slow_network, 5, needs=["namespace"]),
    "refuse_network": Drill(nemeses.refuse_network, 5, needs=["namespace"]),
    "sigterm": Drill(nemeses.sigterm, 50),
    "stop_weir": Drill(nemeses.stop_weir, 5),
    "stand_still": Drill(nemeses.stand_still, 5),
    "members": Drill(nemeses.change_members, 20, 2, members=3,
                     sources=("kafka",)),
    "members_sticky": Drill(nemeses.change_members, 20, 2, members=3,
                            sources=("kafka",),
                            keys={"assignor": "cooperative-sticky"}),
    "move_leader": Drill(nemeses.move_leader, 5, sources=("kafka",),
                         ends=("file", "kafka"), needs=["cluster"]),
    "delete_queue": Drill(nemeses.delete_queue, 5, sources=("amqp",)),
    "alarm": Drill(nemeses.alarm, 5, sources=("amqp",)),
    "fill_disk": Drill(nemeses.fill_disk, 5, ends=("file",), needs=["disk"]),
    "stand_sink": Drill(nemeses.stand_sink, 5, ends=BROKER_ENDS),
    "slow_sink": Drill(nemeses.slow_sink, 5, ends=BROKER_ENDS),
    "short_memory": Drill(nemeses.short_memory, 10, needs=["memory"]),
    "mixed": Drill(nemeses.mixed, 10, 3, members=2, is_first_spared=True,
                   seconds=30 * 60, rate=500,
                   likes=["memory", "disk", "namespace"]),
}
ROOT_ONLY = {"disk": "mount a small disk",
             "namespace": "make network namespaces"}
SOURCES = {"kafka": KafkaSource, "amqp": AmqpSource}
ENDS = {"kafka": KafkaEnd, "amqp": AmqpEnd}


class Job:
    """One line of the table."""

    def __init__(self, name, path, ordering, seed, strikes, seconds=0):
        self.name, self.drill = name, DRILLS[name]
        self.path, self.ordering, self.seed = path, ordering, seed
        self.strikes, self.seconds = strikes, seconds

    def needs(self):
        """What the place of this job has."""
        for need in ROOT_ONLY if os.geteuid() != 0 else ():
            if need in self.drill.needs:
                raise Skipped(f"only root can {ROOT_ONLY[need]}")
        wanted = self.drill.needs | self.drill.likes
        if os.geteuid() != 0:
            wanted -= ROOT_ONLY.keys()
        return wanted - {"disk"} if not self.path.endswith("-file") else wanted

    def series(self, folder, places, stack):
        needs, options = self.needs(), {"rate": self.drill.rate}
        if "memory" in needs:
            options["memory"] = Memory(folder)
            options["variables"] = options["memory"].variables()
        options["is_first_spared"] = self.drill.is_first_spared
        options["has_small_disk"] = "disk" in needs
        place = self.place(places, needs)
        source_kind, end_kind = self.path.split("-")
        source = SOURCES[source_kind](place, self.ordering,
                                      keys=self.drill.keys,
                                      properties=self.drill.properties)
        if end_kind == "file":
            disk = folder
            if "disk" in needs:
                disk = f"{folder}/disk"
                stack.enter_context(small_disk(disk))
            end = FileEnd(disk, source.lane)
        else:
            end = ENDS[end_kind](place)
        series = Series(folder, place, source, end, self.ordering,
                        f"{self.name}:{self.seed}", **options)
        for _ in range(self.drill.members):
            series.join()
        return series

    @staticmethod
    def place(places, needs):
        for name in needs & places.keys():
            if callable(places[name]):
                places[name] = places[name]()
            return places[name]
        return places["alone"]

    def run(self, places):
        report = Report(self.name, f"{self.path} {self.ordering}", self.seed)
        begun, series = time.monotonic(), None
        with tempfile.TemporaryDirectory(prefix="weir-chaos-") as folder, \
                contextlib.ExitStack() as stack:
            try:
                series = self.series(folder, places, stack)
                series.run(self.drill.strike, self.strikes, self.drill.pause,
                           self.seconds)
                series.judge(report, self.name != "mixed" or
                             self.strikes >= self.drill.full)
            except Skipped as skipped:
                report.skipped = str(skipped)
            except (Failed, OSError, subprocess.SubprocessError) as failure:
                report.faults = [str(failure)]
                if series:
                    series.faults.append(str(failure))
                    with contextlib.suppress(Exception):
                        series.judge(report, False)
            if report.faults and series:
                report.said = [(run.owner, run.log[-3000:])
                               for run in series.runs()[-3:]]
        report.took_s = time.monotonic() - begun
        return report


class Skipped(Exception):
    """Why a drill can't be done here."""


DISK = "64m"  # enough for half an hour of mixed strikes


@contextlib.contextmanager
def small_disk(folder):
    if os.geteuid() != 0:
        raise Skipped("only root can mount a small disk")
    os.mkdir(folder)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", folder],
                   check=True, timeout=30)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True, timeout=30)


QUICK = (("kafka-file", "key"), ("amqp-amqp", "none"))
FULL = (("kafka-file", "none"), ("kafka-file", "partition"),
        ("kafka-file", "key"), ("kafka-kafka", "none"),
        ("kafka-kafka", "partition"), ("kafka-kafka", "key"),
        ("kafka-amqp", "none"), ("kafka-amqp", "partition"),
        ("kafka-amqp", "key"), ("amqp-amqp", "none"),
        ("amqp-amqp", "partition"), ("amqp-amqp", "key"),
        ("amqp-file", "none"))


def jobs(paths, seed, strikes_of, seconds_of):
    return [Job(name, path, ordering, seed, strikes_of(drill),
                seconds_of(drill))
            for path, ordering in paths
            for name, drill in DRILLS.items() if drill.suits(path)]


__all__ = ["built_handler", "full", "quick", "DRILLS", "SOURCES", "Job"]


def quick(seed):
    return jobs(QUICK, seed, lambda drill: drill.quick,
                lambda drill: 0)


def full(seed):
    return jobs(FULL, seed, lambda drill: drill.full,
                lambda drill: drill.seconds)
