"""One drill: messages flow, strikes fall, and then everything is counted.

    load ----> source ----> weir (one or more members) ----> destination
                 ^            ^                                  |
                 |  strikes   |                      watch <-----+---> checker

Everything that is drawn by lot (instants, choices) comes from the seed.  Every
wait has an end; what isn't settled by then is told as `unseen`.
"""
import collections
import contextlib
import os
import random
import subprocess
import time

import harness
from checker import Allowed, Stream, check
from harness import Failed, expect
from member import Member
from resources import Resources
from watch import Watch

RECOVER_S, SETTLE_S, END_S, FLOW_S = 30, 60, 25, 5
FILLED_S = 10  # a window of every partition is full
TOLD_S = 1  # what ended faster is not told
COLLECT = 20  # strikes, after which a queue at the end is emptied
BATCH, DEADLINE_S = 50, 8
TOPOLOGY = """name: chaos
producer:
  {producer}
processors:
  handler:
    plugin: {plugin}
    options: {{ owner: "${{CHAOS_OWNER}}", delay: {delay}, gate: {gate} }}
  concurrency: 2
  ordering: {ordering}
  {processors}
batchers:
  default:
    batch_size: {batch}
    batch_timeout: 50ms
    sink: {{ {sink} }}
failure:
  retry: {{ attempts: 1000000, backoff: {{ min: 20ms, max: 500ms }} }}
  then: drop
memory: 64MiB
shutdown: {{ timeout: {deadline}s }}
log: {{ level: debug }}
"""


class Report:
    """What one drill says."""

    def __init__(self, drill, path, seed):
        self.drill, self.path, self.seed = drill, path, seed
        self.strikes = self.sent = self.delivered = 0
        self.lost = self.unseen = self.duplicates = self.bound = 0
        self.reordered = "-"
        self.redelivered, self.stall_s, self.resume_s = 0, 0.0, 0.0
        self.took_s, self.faults, self.said, self.skipped = 0.0, [], [], None
        self.note = ""

    def verdict(self):
        return "FAILED" if self.faults else "skipped" if self.skipped else "ok"


class Series:
    def __init__(self, folder, site, source, end, ordering, seed, **options):
        self.folder, self.site, self.source, self.end = \
            folder, site, source, end
        self.ordering, self.random = ordering, random.Random(seed)
        self.rate = options.get("rate", 1000)
        self.delay = options.get("delay", "0ms")
        self.gate = f"{folder}/gate"
        self.members, self.faults, self.resumes = [], [], []
        self.is_first_spared = options.get("is_first_spared", False)
        self.variables = options.get("variables", {})
        self.memory, self.hits = options.get("memory"), []
        self.has_small_disk = options.get("has_small_disk", False)
        # `breaks`: strikes after which a broker must deliver something again.
        self.strikes = self.breaks = 0
        self.struck = collections.Counter()
        self.load = self.resources = None
        self.watch = Watch(end.count)

    @property
    def deadline_s(self):
        return DEADLINE_S

    def victim(self):
        """Whom a strike on a process hits; a spared one is only looked on."""
        return self.random.choice(
            self.members[1:] if self.is_first_spared else self.members)

    def open_gate(self):
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.gate)

    # Members.

    def topology(self, name):
        key = "ordering_key: '%{header.key}'" \
            if self.ordering == "key" and self.source.kind == "amqp" else ""
        return TOPOLOGY.format(
            producer=self.source.producer(), plugin=built_handler(),
            delay=self.delay, gate=self.gate, ordering=self.ordering,
            processors=key, batch=BATCH, deadline=DEADLINE_S,
            sink=self.end.sink(name))

    def join(self, name=None):
        name = name or chr(ord("a") + len(self.members))
        member = Member(name, self.folder, self.topology(name))
        self.members.append(member)
        member.variables, member.around = self.variables, self.site.around()
        member.start()
        return member

    # The course of things.

    def run(self, strike, count, pause=(0.3, 1.2), seconds=0):
        """`strike(self)` disturbs, mends, and returns the instant since when
        messages must flow again and the seconds that this may take.  So often,
        or for so many seconds."""
        self.load = self.source.load(self.rate)
        try:
            self.load.start()
            for member in self.members:
                member.await_started()
            self.watch.start()
            self.await_flow(time.monotonic(), RECOVER_S, "at the start")
            if self.is_first_spared:
                self.fill_up()
            self.resources = Resources(self.members[0].run.process.pid).start()
            until = time.monotonic() + seconds
            while self.strikes < count or time.monotonic() < until:
                self.rest(*pause)
                instant, limit_s = strike(self)
                self.strikes += 1
                self.await_flow(instant, limit_s,
                                f"after strike {self.strikes}")
                if self.end.kind == "amqp" and self.strikes % COLLECT == 0:
                    with self.quiet():
                        self.end.collect()
            self.resources.end()
            self.finish()
        finally:
            self.load.end()
            self.watch.is_ending.set()
            for member in self.members:
                member.destroy()

    @contextlib.contextmanager
    def quiet(self):
        """Nothing is sent, and all that was is settled."""
        self.load.hold()
        harness.await_that(self.is_all_settled, "all settled")
        yield
        instant = self.watch.now()
        self.load.go()
        self.await_flow(instant, FLOW_S, "after a pause")

    def is_all_settled(self):
        return self.load.is_confirmed() and self.source.is_done()

    def fill_up(self):
        """Memory that was needed once is kept for the next time: so that what
        grows later is seen, the first member has all it may have, once."""
        others = self.members[1:]
        self.faults += filter(None, [one.end(END_S) for one in others])
        with open(self.gate, "wb"):
            pass
        self.rest(FILLED_S, FILLED_S)
        instant = self.watch.now()
        self.open_gate()
        self.await_flow(instant, FLOW_S, "after all was full")
        for one in others:
            one.start()
            one.await_started()

    def rest(self, least, most):
        """A strike falls at a random instant."""
        time.sleep(self.random.uniform(least, most))

    def await_flow(self, instant, limit_s, when):
        deadline = instant + max(limit_s, RECOVER_S)
        lanes = self.end.lanes(self.source)
        while self.watch.resumed(instant, lanes) is None:
            expect(self.watch.error is None, f"the watch: {self.watch.error!r}")
            expect(time.monotonic() < deadline,
                   f"nothing is delivered within {deadline - instant:.0f} s "
                   f"{when}")
            for member in self.members:
                self.faults += member.strange_end()
            time.sleep(0.01)
        took_s = self.watch.resumed(instant, lanes) - instant
        if when != "at the start":
            self.resumes.append(took_s)
            if took_s > limit_s:
                self.faults.append(f"flow resumed {took_s:.1f} s {when}, "
                                   f"{limit_s} s are allowed")

    def finish(self):
        """Everything that was sent is settled, and the members end in order."""
        self.load.finish()
        deadline = time.monotonic() + SETTLE_S
        while not self.source.is_done():
            if time.monotonic() >= deadline:
                self.faults.append(f"not all is settled after {SETTLE_S} s")
                break
            time.sleep(0.05)
        self.watch.end()
        for member in self.members:
            if member.run.is_alive():
                wrong = member.end(END_S)
                self.faults += [wrong] if wrong else []

    def slowest_end(self):
        return max(member.slowest_end_s for member in self.members)

    def runs(self):
        return [run for member in self.members for run in member.runs]

    # The verdict.

    def streams(self):
        """(streams, how many came again by the broker's own word)"""
        numbers, again = collections.defaultdict(list), 0
        for owner, number, came_again in self.end.delivered():
            numbers[owner].append(number)
            again += came_again
        epochs = {run.owner: run.epochs(self.source.kind)
                  for run in self.runs()}
        # What a lost connection left unconfirmed is published again, in order.
        rewinds = self.strikes if self.end.kind == "amqp" else 0
        return [Stream(owner, found, epochs.get(owner, 1), rewinds)
                for owner, found in numbers.items()], again

    def judge(self, report, must_repeat):
        sent = self.source.sent(self.load)
        streams, again = self.streams()
        moves = max(sum(run.epochs(self.source.kind)
                        for run in self.runs()) - 1, 0)
        allowed = self.source.allowed(moves, BATCH)
        # Each partition that was given anew, whoever got it.
        given = sum(run.given(self.source.kind) for run in self.runs())
        in_all = self.source.window_of(
            max(given - len(self.source.partitions), 0), BATCH)
        if self.end.kind == "amqp":
            # What a lost connection left unconfirmed is published again.
            allowed = {partition: count + self.strikes * BATCH
                       for partition, count in allowed.items()}
            in_all += self.strikes * BATCH * len(allowed)
        faults = check(sent, streams, self.ordering,
                       Allowed(allowed, in_all), self.source.left(),
                       self.source.commits())
        report.strikes, report.sent = self.strikes, len(sent.places)
        report.delivered = faults.delivered
        report.lost, report.unseen = len(faults.lost), len(faults.unseen)
        report.duplicates = sum(faults.duplicates.values())
        report.bound = min(sum(allowed.values()), in_all)
        if self.ordering != "none":
            report.reordered = sum(map(len, faults.reordered.values()))
        report.redelivered = report.duplicates + again
        report.stall_s = self.watch.longest_stall()
        report.resume_s = max(self.resumes, default=0.0)
        report.faults = faults.texts() + self.faults
        if len(self.members[0].runs) == 1:
            report.faults += self.resources.faults()
            report.note = self.resources.text()
        if self.slowest_end() > TOLD_S:
            report.note += "; " * bool(report.note) + (
                f"the slowest end took {self.slowest_end():.1f} of "
                f"{DEADLINE_S} s")
        if self.struck:
            report.note += "; " * bool(report.note) + ", ".join(
                f"{count} {name}" for name, count in
                sorted(self.struck.items()))
        if self.hits and not any(self.hits):
            report.faults.append("no allocation failed")
        if len(sent.places) != self.load.next:
            report.faults.append(f"the broker has {len(sent.places)} of "
                                 f"{self.load.next} confirmed messages")
        if must_repeat and self.breaks > 0 and report.redelivered == 0:
            report.faults.append("no strike hit work in flight: nothing was "
                                 "delivered again")
        return report


def built_handler():
    """mark.so, built once for all drills of this process."""
    path = os.environ["CHAOS_HANDLER"]
    if not os.path.exists(path):
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                              "mark.c")
        done = subprocess.run(
            [os.environ.get("WEIR", "weir"), "cc", "-Werror", source, "-o",
             path], check=False, capture_output=True, text=True,
            timeout=harness.RUN_TIMEOUT_S)
        if done.returncode != 0:
            raise Failed(f"weir cc: {done.stdout}{done.stderr}")
    return path
