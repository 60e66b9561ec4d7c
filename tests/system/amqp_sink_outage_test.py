"""A broker that goes away, blocks or freezes while messages go to it: none is lost.

Numbered lines come in on standard input, so that the source has no trouble of its
own; what the broker confirmed is in its queue in the end.
"""
import contextlib
import subprocess

import harness
from amqp_queue import Queue, burst
from harness import await_that, expect, expect_equal
from live import Clock, Live, expect_each, lines_of, topology
from own_node import OwnNode

ALARM_S = 6  # three heartbeats of 2 s
DEADLINE_S = 2
LATE = 75
FROZEN = ("no heartbeat", "connected but silent")


def sink(queue, **members):
    keys = {"url": f"'{queue.url}'", "routing_key": queue.name,
            "heartbeat": "2s", **members}
    return "{ amqp: { " + ", ".join(
        f"{key}: {value}" for key, value in keys.items()) + " } }"


class Stream:
    """Lines into one run, messages in one queue."""

    def __init__(self, node, kind, folder, **values):
        self.queue = Queue(node["WEIR_AMQP"], kind).declare()
        self.sent = 0
        path = topology(folder, "stdin: {}", name=kind, batch_size=20,
                        more="", **{"sink": sink(self.queue), **values})
        self.live = Live(path, stdin=subprocess.PIPE)

    def texts(self):
        return [f"{number:06d}" for number in range(self.sent)]

    def put(self, count=None):
        first, self.sent = self.sent, self.sent + (count or burst())
        text = "".join(f"{line}\n" for line in self.texts()[first:])
        self.live.process.stdin.write(text.encode())
        self.live.process.stdin.flush()

    def await_out(self):
        await_that(lambda: self.queue.state()[0] >= self.sent,
                   f"{self.sent} messages in the queue")
        expect(self.live.process.poll() is None, "weir ended")

    def end(self):
        """Its input ends; everything is confirmed, and so it does."""
        self.live.process.stdin.close()
        self.live.expect_end(0, None)
        expect_equal(self.live.report["done"], self.sent, "done")
        taken = self.queue.take_all(self.queue.state()[0])
        expect_each([body.decode() for body, _ in taken], self.texts(),
                    "messages in the queue")


def outages():
    with OwnNode("rabbitmq") as node, harness.scratch() as folder, \
            contextlib.ExitStack() as stack:
        streams = [Stream(node, kind, folder) for kind in ("classic", "quorum")]
        for stream in streams:
            stack.enter_context(stream.live)
            stream.put()
            stream.await_out()
        for verb in ("stop", "kill"):
            for stream in streams:
                stream.put()
            node.do(verb)
            for stream in streams:
                stream.put()
            node.do("restart")
            for stream in streams:
                stream.await_out()
        node.do("freeze")
        for stream in streams:
            stream.put()
            stream.live.await_log(*FROZEN)
        node.do("thaw")
        for stream in streams:
            stream.await_out()
            stream.end()


def watermark(node, share):
    node.tool("set_vm_memory_high_watermark", share)


def alarm():
    """Publishing waits, consuming goes on, and nobody is cut off."""
    with OwnNode("rabbitmq") as node, harness.scratch() as folder:
        stream = Stream(node, "quorum", folder)
        other = Queue(node["WEIR_AMQP"]).declare()
        lines = [f"{number:04d}" for number in range(200)]
        out = f"{folder}/out"
        other.put(line.encode() for line in lines)
        consumer = topology(folder, other.producer(), name="consumer",
                            sink=f"{{ file: {{ path: {out}, fsync: never }} }}")
        with stream.live:
            stream.put()
            stream.await_out()
            watermark(node, "0.00001")
            stream.put()
            stream.live.await_log("blocks publishers")
            clock = Clock()
            with Live(consumer) as live:
                await_that(lambda: set(lines) <= set(lines_of(out)),
                           "everything is consumed during the alarm")
                live.expect_end(0)
            await_that(lambda: clock.seconds() >= ALARM_S,
                       "the alarm outlasts heartbeats")
            expect(stream.queue.state()[0] < stream.sent,
                   "publishing went on in an alarm")
            expect(stream.live.log.count("blocks publishers") <= 2,
                   "it is said again and again")
            watermark(node, "0.4")
            stream.await_out()
            stream.end()
            log = stream.live.log
        expect_equal(log.count("no longer blocks"), 1, "its end is said")
        expect_equal(stream.live.report["counters"]["reconnects"], 0, "reconnects")


def idle():
    """A connection with nothing to do stays; one that is lost is noticed."""
    with OwnNode("rabbitmq") as node, harness.scratch() as folder:
        stream = Stream(node, "classic", folder)
        with stream.live:
            stream.put(1)
            stream.await_out()
            clock = Clock()
            await_that(lambda: clock.seconds() >= ALARM_S,
                       "nothing happens for heartbeats")
            expect("trying again" not in stream.live.log, "it was cut off")
            node.do("stop")
            stream.live.await_log("trying again")
            node.do("restart")
            stream.put(1)
            stream.await_out()
            stream.end()


def end_while_frozen(node, folder, heartbeat, *said):
    queue = Queue(node["WEIR_AMQP"]).declare()
    path = topology(folder, "generator: { size: 1KiB, rate: 2000 }",
                    sink=sink(queue, heartbeat=heartbeat),
                    timeout=f"{DEADLINE_S}s")
    with Live(path) as live:
        await_that(lambda: queue.state()[0] > 100, "messages flow")
        node.do("freeze")
        try:
            if said:
                live.await_log(*said)
            clock = Clock()
            live.expect_end(LATE)
            expect(clock.seconds() < DEADLINE_S + 3,
                   f"it took {clock.seconds():.1f} s")
            expect(live.report["abandoned"] > 0, "nothing was abandoned")
        finally:
            node.do("thaw")


def frozen():
    """SIGTERM while the broker is frozen, and while weir connects to it: out at
    the deadline."""
    with OwnNode("rabbitmq") as node, harness.scratch() as folder:
        end_while_frozen(node, folder, "60s")
        end_while_frozen(node, folder, "1s", "no heartbeat")


if __name__ == "__main__":
    harness.main({"outages": outages, "alarm": alarm, "idle": idle,
                  "frozen": frozen})
