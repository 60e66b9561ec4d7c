"""A group, a topic or a handler that is not as usual: all of it is survived.

Members that stand still, freeze or come back; a topic that was compacted, or has
a thousand partitions; a handler slower than the group's patience; one key that
has nearly everything.
"""
import contextlib
import os
import signal
import subprocess
import threading

import harness
from harness import await_that, expect, expect_equal
from live import Clock, Live, expect_each, lines_of, topology, witness
from own_node import OwnNode
from topic import Topic, finish, line, texts

GIVEN, LOST = "gives this member", "went on without this member"
SESSION = "session.timeout.ms: 6000, heartbeat.interval.ms: 300"
# A rebalance with a member that stands still: its drain (1 s), the others'
# heartbeats, and what a loaded machine and a sanitizer take.
REBALANCED_S = 30


class Member:
    """One weir in the topic's group, with a file of its own."""

    def __init__(self, topic, folder, name, properties="", **values):
        self.out = f"{folder}/{name}.out"
        kafka = {"commit_interval": "200ms", "drain_timeout": "1s",
                 "properties": f"{{ {SESSION}{properties} }}",
                 **values.pop("kafka", {})}
        streams = values.pop("streams", {})
        values.setdefault(
            "sink", f"{{ file: {{ path: {self.out}, fsync: never }} }}")
        memory = values.pop("memory", "256MiB")
        self.live = Live(topology(folder, topic.producer(**kafka), name=name,
                                  **values),
                         ["--set", f"memory={memory}"], **streams)

    def given(self):
        return self.live.log.count(GIVEN)

    def lines(self):
        return lines_of(self.out)


def slow_handler():
    """The handler takes longer than max.poll.interval.ms."""
    topic = Topic(harness.broker("WEIR_KAFKA")).create()
    topic.put(range(100))
    with harness.scratch() as folder:
        gate = f"{folder}/gate"
        open(gate, "w", encoding="utf-8").close()
        member = Member(topic, folder, "slow",
                        properties=", max.poll.interval.ms: 6000",
                        handler=witness(folder, gate=gate))
        with member.live:
            member.live.await_log(GIVEN)
            clock = Clock()
            await_that(lambda: clock.seconds() > 9, "9 seconds")
            expect_equal(member.lines(), [], "lines while it waits")
            os.remove(gate)
            await_that(lambda: len(member.lines()) == 100, "every message")
            topic.await_all_committed()
            member.live.expect_end(0)
        expect_equal(sorted(member.lines()), texts(range(100)), "messages")
        expect_equal(member.given(), 1, "times that it was given partitions")
        expect(LOST not in member.live.log, "it was thrown out")


class Pipe:
    """Standard output that is not read, until it is."""

    def __init__(self, live):
        self.live, self.text = live, []
        self.reader = threading.Thread(target=self.read)

    def read(self):
        self.text = self.live.process.stdout.read().decode().splitlines()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if not self.reader.is_alive() and not self.text:
            self.live.process.kill()
        if self.reader.ident:
            self.reader.join(harness.WAIT_TIMEOUT_S)


def standing_sink(assignor):
    """A member whose destination stands still hands its partitions on."""
    count = 20000 if not harness.is_small() else 8000
    topic = Topic(harness.broker("WEIR_KAFKA")).create()
    kafka = {"assignor": assignor}
    with harness.scratch() as folder, contextlib.ExitStack() as stack:
        standing = Member(topic, folder, "standing", kafka=kafka,
                          sink="stdout",
                          streams={"stdout": subprocess.PIPE})
        stack.enter_context(standing.live)
        pipe = stack.enter_context(Pipe(standing.live))
        standing.live.await_log(GIVEN)
        # 20 bytes a line: several times what a pipe holds.
        finish(topic.send([f"k{n % 16}:{n:06d}{'.' * 20}\n".encode()
                           for n in range(count)]))
        first = standing.live.process.stdout.readline()
        expect(first, "the standing member delivered nothing")
        other = Member(topic, folder, "other", kafka=kafka)
        stack.enter_context(other.live)
        clock = Clock()
        await_that(other.lines, "lines of the member that joined")
        expect(clock.seconds() < REBALANCED_S,
               f"the other member waited {clock.seconds():.0f} s")
        pipe.reader.start()
        topic.await_all_committed()
        standing.live.expect_end(0)
        other.live.expect_end(0)
        pipe.reader.join(harness.WAIT_TIMEOUT_S)
        found = [text[:6] for text in
                 [first.decode(), *pipe.text, *other.lines()]]
        expect_each(found, texts(range(count)), "messages of both")


def static_member():
    """A member with an id of its own comes back: nobody is rebalanced."""
    topic = Topic(harness.broker("WEIR_KAFKA")).create()
    with harness.scratch() as folder, contextlib.ExitStack() as stack:
        def member(name, identity):
            made = Member(topic, folder, name,
                          properties=f", group.instance.id: {identity}")
            stack.enter_context(made.live)
            made.live.await_log(GIVEN)
            return made
        first = member("first", "one")
        second = member("second", "two")
        await_that(lambda: first.given() == 2, "both have partitions")
        topic.put(range(1000))
        topic.await_all_committed()
        first.live.expect_end(0)
        before = second.given()
        again = member("again", "one")
        topic.put(range(1000, 2000))
        topic.await_all_committed()
        expect_equal(second.given(), before,
                     "times that the other was given partitions")
        expect(again.lines(), "the one that came back has nothing to do")
        again.live.expect_end(0)
        second.live.expect_end(0)
        found = first.lines() + second.lines() + again.lines()
        expect_equal(sorted(found), texts(range(2000)), "messages")


def fatal_client_error():
    """Another member takes this one's identity: the client is rebuilt."""
    topic = Topic(harness.broker("WEIR_KAFKA")).create()
    topic.put(range(100))
    with harness.scratch() as folder, contextlib.ExitStack() as stack:
        def member(name):
            made = Member(topic, folder, name,
                          properties=", group.instance.id: same")
            stack.enter_context(made.live)
            return made
        first = member("first")
        await_that(lambda: len(first.lines()) == 100, "the first messages")
        second = member("second")
        first.live.await_log("replaced (restart 1 of 3 in 5 s)")
        second.live.process.kill()
        topic.put(range(100, 200))
        topic.await_all_committed()
        first.live.expect_end(0)
        expect(first.live.report["counters"]["restarts"] >= 1,
               "no restart was counted")
        expect_each(first.lines() + second.lines(), texts(range(200)),
                    "messages")


def session_expired():
    """A member that freezes is given up, and commits nothing when it thaws."""
    topic = Topic(harness.broker("WEIR_KAFKA")).create()
    with harness.scratch() as folder, contextlib.ExitStack() as stack:
        def member(name):
            made = Member(topic, folder, name,
                          handler=witness(folder, delay="2ms"),
                          processors="ordering: partition")
            stack.enter_context(made.live)
            made.live.await_log(GIVEN)
            return made
        frozen, other = member("frozen"), member("other")
        feed = topic.send(map(line, range(2000)))
        await_that(frozen.lines, "lines of the one that will freeze")
        frozen.live.send(signal.SIGSTOP)
        try:
            finish(feed)
            topic.await_all_committed()
        finally:
            frozen.live.send(signal.SIGCONT)
        frozen.live.await_log(LOST)
        topic.put(range(2000, 2100))
        topic.await_all_committed()
        expect(frozen.live.process.poll() is None, "it went on")
        frozen.live.expect_end(0)
        other.live.expect_end(0)
        expect_each(frozen.lines() + other.lines(), texts(range(2100)),
                    "messages of both")


def compacted():
    """Offsets that compaction took away are stepped over."""
    count, keys = 6000, 16
    with OwnNode("kafka", "--conf", "log.cleaner.backoff.ms=100") as node:
        topic = Topic(node["WEIR_KAFKA"], 1).create(
            "cleanup.policy=compact", "segment.bytes=20000",
            "min.cleanable.dirty.ratio=0.01", "delete.retention.ms=0")
        # A batch larger than a segment would be refused.
        finish(topic.send(map(line, range(count)), "-X",
                          "batch.num.messages=100"))

        def there():
            read = subprocess.run(
                ["kcat", "-q", "-E", "-b", node["WEIR_KAFKA"], "-C", "-t",
                 topic.name, "-o", "beginning", "-e"], check=True,
                stdout=subprocess.PIPE, timeout=harness.WAIT_TIMEOUT_S)
            return read.stdout.decode().split()
        await_that(lambda: len(there()) < count / 2, "half of it compacted")
        with harness.scratch() as folder:
            member = Member(topic, folder, "reader")
            with member.live:
                await_that(member.lines, "the first lines")
                topic.await_all_committed()
                found = member.lines()
                member.live.expect_end(0)
            expect_equal(len(set(found)), len(found), "lines that differ")
            expect(set(texts(range(count - keys, count))) <= set(found),
                   "the last message of each key is there")
            expect(len(found) < count, "nothing was compacted away")
        expect_equal(topic.committed(), {0: count}, "the group's offset")


def many_partitions():
    """A thousand partitions, each with something, and one member."""
    partitions = 1000 if not harness.is_small() else 200
    count = partitions * 10
    with OwnNode("kafka") as node:
        topic = Topic(node["WEIR_KAFKA"], partitions).create()
        finish(topic.send([f"{n}:{n:06d}\n".encode() for n in range(count)]))
        with harness.scratch() as folder:
            member = Member(topic, folder, "many",
                            processors="ordering: partition")
            with member.live:
                await_that(lambda: len(member.lines()) >= count,
                           "every message")
                topic.await_all_committed()
                member.live.expect_end(0)
            expect_equal(sorted(member.lines()), texts(range(count)),
                         "messages")


def peak_kib(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        return int(next(row for row in status
                        if row.startswith("VmHWM")).split()[1])


def bounded_memory():
    """Large messages that compression made tiny don't take all memory."""
    count, allowed_kib = 400, (128 + 32) * 1024
    harness.skip_if_sanitized()
    topic = Topic(harness.broker("WEIR_KAFKA")).create(
        "max.message.bytes=4194304")
    with harness.scratch() as folder:
        gate = f"{folder}/gate"
        open(gate, "w", encoding="utf-8").close()
        big = b"a line that is the same all over again. " * 26214
        finish(topic.send([b"k%d:%s\n" % (n % 16, big) for n in range(count)],
                          "-z", "zstd", "-X", "message.max.bytes=2000000"))
        member = Member(topic, folder, "bounded",
                        handler=witness(folder, gate=gate),
                        memory="128MiB")
        with member.live:
            member.live.await_log(GIVEN)
            clock = Clock()
            await_that(lambda: clock.seconds() > 5, "5 seconds")
            os.remove(gate)
            await_that(lambda: len(member.lines()) == count, "every message")
            topic.await_all_committed()
            peak = peak_kib(member.live.process)
            member.live.expect_end(0)
        expect(peak <= allowed_kib, f"{peak // 1024} MiB were resident")


def await_settled(process):
    """Nothing more was fetched for a while."""
    seen, since = peak_kib(process), Clock()

    def is_settled():
        nonlocal seen, since
        peak = peak_kib(process)
        if peak > seen + 512:
            seen, since = peak, Clock()
        return since.seconds() > 4

    await_that(is_settled, "memory that grows no more")


def bounded_memory_in_turns():
    """256 partitions with batches of half a MiB, and memory for a few."""
    count, keys, allowed_kib = 2048, 512, (64 + 32) * 1024
    harness.skip_if_sanitized()
    topic = Topic(harness.broker("WEIR_KAFKA"), 256).create()
    padding = b"." * 65530
    finish(topic.send([b"k%d:%06d%s\n" % (n % keys, n, padding)
                       for n in range(count)], "-X", "linger.ms=500"))
    with harness.scratch() as folder:
        gate = f"{folder}/gate"
        open(gate, "w", encoding="utf-8").close()
        member = Member(topic, folder, "turns", memory="64MiB",
                        handler=witness(folder, gate=gate),
                        processors="ordering: key")
        with member.live:
            member.live.await_log(GIVEN)
            await_settled(member.live.process)
            os.remove(gate)
            topic.await_all_committed()
            peak = peak_kib(member.live.process)
            member.live.expect_end(0)
        found = [int(text[:6]) for text in member.lines()]
        expect_equal(sorted(found), list(range(count)), "messages")
        last = {}
        for number in found:
            expect(last.get(number % keys, -1) < number,
                   f"{number} came after a later one of its key")
            last[number % keys] = number
    expect(peak <= allowed_kib, f"{peak // 1024} MiB were resident")


def hot_key():
    """One key has nearly everything; the others don't wait behind it."""
    hot, others = 900, 60
    topic = Topic(harness.broker("WEIR_KAFKA"), 1).create()
    topic_lines = []
    for number in range(hot + others):
        is_hot = number % 16 != 15
        key = "hot" if is_hot else f"k{number}"
        topic_lines.append(f"{key}:{number:06d}{'h' if is_hot else 'o'}\n")
    finish(topic.send(text.encode() for text in topic_lines))
    with harness.scratch() as folder:
        member = Member(topic, folder, "hot", batch_size=10,
                        handler=witness(folder, delay="2ms"),
                        processors="ordering: key")
        with member.live:
            await_that(lambda: len(member.lines()) == hot + others,
                       "every message")
            member.live.expect_end(0)
        found = member.lines()
    in_order = [text for text in found if text.endswith("h")]
    expect_equal(in_order, sorted(in_order), "the hot key's order")
    last = max(index for index, text in enumerate(found)
               if text.endswith("o"))
    expect(last < len(found) / 2,
           f"the last message of another key is number {last} of {len(found)}")


if __name__ == "__main__":
    harness.main({
        "slow_handler": slow_handler,
        "standing_sink": lambda: standing_sink("range"),
        "standing_sink_cooperative":
            lambda: standing_sink("cooperative-sticky"),
        "static_member": static_member,
        "fatal_client_error": fatal_client_error,
        "session_expired": session_expired,
        "compacted": compacted,
        "many_partitions": many_partitions,
        "bounded_memory": bounded_memory,
        "bounded_memory_in_turns": bounded_memory_in_turns,
        "hot_key": hot_key})
