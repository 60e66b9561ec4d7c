"""The drill of each runbook: the failure is made, the alert fires, the operator sees what
the runbook shows, does what it says, and sees that it is over.
"""
import contextlib
import os
import signal
import sys

import prometheus
from prometheus import Prometheus, free_ports
from runbook import OVER, SEEN, Runbook

import harness
from admin_test import Watched
from amqp_queue import Queue
from amqp_sink_test import sink
from harness import await_that, expect, expect_equal
from live import topology, witness
from topic import Topic, line

sys.path.insert(0, f"{harness.ROOT}/tests/chaos")
from proxy import Loop, Proxy  # noqa: E402

QUICK_RETRY = "retry: { backoff: { max: 100ms } }"


class Link:
    """To the AMQP broker, through a proxy that can break."""

    def __init__(self, stack):
        self.url = harness.broker("WEIR_AMQP")
        head, place = self.url.rsplit("@", 1)
        host, port = place.rstrip("/").split("/")[0].split(":")
        loop = Loop()
        stack.callback(loop.end)
        [here] = free_ports(1)
        self.proxy = Proxy(loop, here, (host, int(port)))
        self.broken_url = f"{head}@127.0.0.1:{here}/"

    def queue(self, stack):
        queue = Queue(self.url).declare()
        stack.callback(queue.delete)
        return queue


class Drill:
    """A runbook, a weir on a port of its own, and the Prometheus that looks at it."""

    def __init__(self, stack, name, scale=prometheus.SCALE):
        prometheus.need_prometheus()
        self.stack, self.book = stack, Runbook(name)
        self.folder = stack.enter_context(harness.scratch())
        [self.port] = free_ports(1)
        self.prometheus = stack.enter_context(
            Prometheus(self.folder, self.port, scale))
        self.live = None

    def start(self, path, *settings):
        self.live = self.stack.enter_context(Watched(
            path, f"admin.listen=127.0.0.1:{self.port}", *settings))
        self.prometheus.await_up()
        return self.live

    def fires(self, alert, section=SEEN, nth=None):
        expect(self.book.is_named(alert), f"{self.book.name} names no {alert}")
        self.prometheus.await_alert(alert)
        if section:
            self.book.await_seen(self.live, section, nth)

    def is_silent(self, *alerts):
        for alert in alerts:
            expect(not self.prometheus.is_firing(alert), f"{alert} fires")

    def is_over(self, alert, section=OVER):
        self.prometheus.await_alert(alert, is_firing=False)
        if section:
            self.book.await_seen(self.live, section)


def lag(stack):
    """The handler waits for something that doesn't come."""
    drill = Drill(stack, "lag")
    topic = Topic(harness.broker("WEIR_KAFKA"), 1).create()
    gate = f"{drill.folder}/gate"
    open(gate, "w", encoding="utf-8").close()
    live = drill.start(topology(
        drill.folder, topic.producer(commit_interval="200ms"), sink="discard",
        name="orders", handler=witness(drill.folder, gate=gate)))
    live.await_ready()
    drill.is_silent("WeirLagGrows")

    def grows():
        topic.send(map(line, range(1000))).wait()
        return drill.prometheus.is_firing("WeirLagGrows")
    await_that(grows, "an alert while the lag grows")
    drill.fires("WeirLagGrows")
    os.remove(gate)
    drill.is_over("WeirLagGrows")
    live.expect_end()


def stalled(stack):
    """The link to the destination carries nothing; then there is none."""
    drill, link = Drill(stack, "stalled"), Link(stack)
    topic = Topic(harness.broker("WEIR_KAFKA"), 1).create()
    queue = link.queue(stack)
    live = drill.start(topology(
        drill.folder, topic.producer(commit_interval="200ms"), name="orders",
        sink=sink(link.broken_url, routing_key=queue.name, heartbeat="60s"),
        failure=f"{{ then: drop, {QUICK_RETRY} }}"), "admin.stalled_after=1s")
    live.await_ready()
    drill.is_silent("WeirStalled", "WeirNotReady")
    link.proxy.stall()
    topic.put(range(10))
    drill.fires("WeirStalled")
    expect_equal(live.ask("/livez")[0], 200, "a life that a restart can't help")
    drill.is_silent("WeirNotReady")
    link.proxy.open()
    drill.is_over("WeirStalled")
    queue.await_ready(10)
    live.expect_end()


def not_ready(stack):
    """Nothing listens any more where the destination was."""
    drill, link = Drill(stack, "not-ready"), Link(stack)
    topic = Topic(harness.broker("WEIR_KAFKA"), 1).create()
    queue = link.queue(stack)
    live = drill.start(topology(
        drill.folder, topic.producer(commit_interval="200ms"), name="orders",
        sink=sink(link.broken_url, routing_key=queue.name)))
    live.await_ready()
    drill.is_silent("WeirNotReady")
    link.proxy.refuse()
    topic.put(range(10))
    drill.fires("WeirNotReady")
    live.expect_health(69)
    link.proxy.open()
    drill.is_over("WeirNotReady")
    queue.await_ready(10)
    live.expect_end()


def dead_letters(stack):
    """Half of the messages are bad; then nobody takes their dead letters."""
    drill, link = Drill(stack, "dead-letters"), Link(stack)
    topic = Topic(harness.broker("WEIR_KAFKA"), 1).create()
    queue = link.queue(stack)
    letters = sink(link.broken_url, routing_key=queue.name)
    live = drill.start(topology(
        drill.folder, topic.producer(commit_interval="200ms"), sink="discard",
        name="orders", handler=witness(drill.folder, reject="bad"),
        more=f"dead_letter: {{ batch_timeout: 50ms, sink: {letters} }}",
        failure="{ then: dead_letter }"))
    live.await_ready()
    drill.is_silent("WeirManyFail", "WeirDeadLettersHeld")

    def fails_and_is_told(alert):
        topic.send([b"k:bad\n", b"k:good\n"] * 20).wait()
        return drill.prometheus.is_firing(alert)
    await_that(lambda: fails_and_is_told("WeirManyFail"), "an alert of many that fail")
    drill.fires("WeirManyFail", nth=0)
    link.proxy.refuse()
    topic.send([b"k:bad\n"] * 20).wait()
    drill.fires("WeirDeadLettersHeld", nth=1)
    link.proxy.open()
    drill.is_over("WeirDeadLettersHeld")
    drill.is_over("WeirManyFail", section=None)
    topic.await_all_committed()
    live.expect_end()
    # The link was cut: what was not confirmed by then came again.
    await_that(lambda: queue.state()[0] >= live.report["rejected"],
               "a dead letter of each that failed")


def flapping(stack):
    """A link that is cut as soon as it is there."""
    drill, link = Drill(stack, "flapping", scale=60), Link(stack)
    queue = link.queue(stack)
    live = drill.start(topology(
        drill.folder, queue.producer().replace(link.url, link.broken_url),
        name="orders", sink="discard"))
    live.await_ready()
    drill.is_silent("WeirFlapping")
    reconnects = 'weir_reconnects_total{pipeline="orders"}'

    def is_cut_and_told():
        if live.ask("/readyz")[0] == 200:
            link.proxy.cut()
        return drill.prometheus.is_firing("WeirFlapping")
    await_that(is_cut_and_told, "an alert of a link that is cut")
    expect(drill.prometheus.value(reconnects) >= 4, "too few were too many")
    drill.fires("WeirFlapping")
    live.await_ready()
    drill.book.await_seen(live, OVER)
    live.expect_end()


def memory(stack):
    """A handler that keeps what it takes."""
    harness.skip_if_sanitized()
    drill = Drill(stack, "memory")
    gate = f"{drill.folder}/gate"
    open(gate, "w", encoding="utf-8").close()

    def path(**options):
        return topology(drill.folder, "generator: { rate: 100 }", name="orders",
                        sink="discard", handler=witness(
                            drill.folder, gate=gate, **options))
    live = drill.start(path(hoard="64MiB"), "memory=32MiB")
    await_that(lambda: drill.prometheus.value("weir_memory_limit_bytes") == 2 ** 25,
               "the budget")
    drill.is_silent("WeirMemory")
    os.remove(gate)
    drill.fires("WeirMemory")
    live.expect_end()
    drill.start(path(), "memory=32MiB")
    drill.is_over("WeirMemory")
    drill.live.expect_end()


def crash_loop(stack):
    """A message that takes the process down each time; then it is put aside."""
    drill, link = Drill(stack, "crash-loop", scale=60), Link(stack)
    queue = link.queue(stack)
    queue.put([b"crash"])
    gate = f"{drill.folder}/gate"
    path = topology(drill.folder, queue.producer(), name="orders",
                    sink="discard",
                    handler=witness(drill.folder, gate=gate, crash="crash"))
    started = "process_start_time_seconds"
    seen = set()

    def lives_and_crashes(*settings):
        """Until Prometheus has seen it."""
        open(gate, "w", encoding="utf-8").close()
        live = drill.start(path, *settings)
        await_that(lambda: drill.prometheus.value(started) not in seen | {None},
                   "a start that is seen")
        seen.add(drill.prometheus.value(started))
        os.remove(gate)
        return live

    for _ in range(4):
        drill.is_silent("WeirCrashLoop")
        live = lives_and_crashes()
        expect_equal(live.wait(), -signal.SIGABRT, "how it ended")
    drill.fires("WeirCrashLoop", section=None)
    drill.fires("WeirDown")
    aside = (f"state={drill.folder}/state", "failure.max_crashes=1")
    os.mkdir(f"{drill.folder}/state")
    for _ in range(2):  # among others, and alone
        expect_equal(lives_and_crashes(*aside).wait(), -signal.SIGABRT,
                     "how it ended")
    lives_and_crashes(*aside)
    drill.is_over("WeirDown")
    queue.state()
    drill.live.expect_end()


CASES = {name.__name__: name for name in (
    lag, stalled, not_ready, dead_letters, flapping, memory, crash_loop)}


def drilled(name):
    with contextlib.ExitStack() as stack:
        CASES[name](stack)


if __name__ == "__main__":
    harness.main({name: lambda name=name: drilled(name) for name in CASES})
