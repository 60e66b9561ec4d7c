"""A broker that stops, dies, freezes or throws its consumers out costs no message.

One run of weir per kind of queue goes through all of it, without help.  Numbered
messages are confirmed by the broker before the trouble, and are under way in the
handler when it comes.
"""
import contextlib

import harness
from amqp_queue import Queue, burst, await_nothing_left
from harness import await_that, expect, expect_equal
from live import Live, expect_each, lines_of, topology, witness
from own_node import OwnNode


class Stream:
    """Messages into one queue, lines out of one file."""

    def __init__(self, node, kind, folder):
        self.queue = Queue(node["WEIR_AMQP"], kind).declare()
        self.out, self.sent = f"{folder}/{kind}.out", 0
        path = topology(
            folder, self.queue.producer(heartbeat="2s"), name=kind,
            handler=witness(folder, delay="2ms"),
            sink=f"{{ file: {{ path: {self.out}, fsync: never }} }}")
        self.live = Live(path)

    def texts(self):
        return [f"{number:06d}" for number in range(self.sent)]

    def put(self):
        first, self.sent = self.sent, self.sent + burst()
        self.queue.put(text.encode() for text in self.texts()[first:])

    def await_out(self):
        await_that(lambda: set(self.texts()) <= set(lines_of(self.out)),
                   f"the first {self.sent} messages in {self.out}")
        expect(self.live.process.poll() is None, "weir ended")


def restart(node, verb):
    node.do(verb)
    node.do("restart")


def under_trouble(kinds, trouble):
    with OwnNode("rabbitmq") as node, harness.scratch() as folder, \
            contextlib.ExitStack() as stack:
        streams = [Stream(node, kind, folder) for kind in kinds]
        for stream in streams:
            stack.enter_context(stream.live)
        for stream in streams:
            stream.put()
            stream.await_out()
        trouble(node, streams)
        for stream in streams:
            stream.put()
            stream.await_out()
        # What is delivered again is acknowledged too.
        await_nothing_left(node, [stream.queue for stream in streams])
        for stream in streams:
            stream.live.expect_end()
            expect_each(lines_of(stream.out), stream.texts(),
                        "messages in the file")
            expect_equal(stream.queue.state()[0], 0, "messages in the queue")


def outages(node, streams):
    for verb in ("stop", "kill"):
        for stream in streams:
            stream.put()
        restart(node, verb)
        for stream in streams:
            stream.await_out()
    for stream in streams:
        stream.put()
    node.do("freeze")
    for stream in streams:
        stream.live.await_log(*SILENT)
    node.do("thaw")
    for stream in streams:
        stream.await_out()


def thrown_out(node, streams):
    for stream in streams:
        stream.put()
    node.tool("close_all_connections", "the test says so")
    for stream in streams:
        stream.await_out()
        # Empty, so that the deletion itself takes nothing with it.
        await_that(lambda queue=stream.queue: queue.state()[0] == 0,
                   "an empty queue")
        stream.queue.delete()
        stream.live.await_log("isn't there yet")
        stream.queue.declare()


# Frozen while weir consumes, or while it connects again.
SILENT = ("no heartbeat", "connected but silent")
KINDS = ("classic", "quorum")

if __name__ == "__main__":
    harness.main({
        "outages": lambda: under_trouble(KINDS, outages),
        "thrown_out": lambda: under_trouble(KINDS, thrown_out)})
