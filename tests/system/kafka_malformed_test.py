"""A broker, or something in between, answers nonsense: nothing is lost by it.

    weir ==requests==> proxy ==> Kafka
         <==answers==    one of them is spoiled, then the next one

Each kind of nonsense meets an answer to the source and one to the sink.
"""
import contextlib
import socket
import struct
import threading

import harness
from harness import await_that, expect
from kafka_sink_test import read, sink
from live import Live, expect_each, topology
from own_node import OwnNode
from topic import Topic, texts

COUNT = 200
PRODUCE, FETCH = 0, 1
ABSURD, NEGATIVE = 0x7ffffff0, -5


def absurd_length(answer):
    return struct.pack(">i", ABSURD) + answer


def negative_length(answer):
    return struct.pack(">i", NEGATIVE) + answer


def cut_off(answer):
    return struct.pack(">i", len(answer)) + answer[:len(answer) // 2]


def too_short(answer):
    return struct.pack(">i", len(answer) // 2) + answer[:len(answer) // 2]


def of_another_request(answer):
    number, = struct.unpack_from(">i", answer)
    return (struct.pack(">ii", len(answer), number ^ 0x40000000) +
            answer[4:])


# After a frame that was cut off nothing can follow.
SPOILERS = {absurd_length: True, negative_length: True, cut_off: True,
            too_short: False, of_another_request: False}


class Proxy:
    """Knows which answer belongs to which kind of request."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.place = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.port, self.due, self.lock = None, None, threading.Lock()

    def start(self, port):
        self.port = port
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            with contextlib.suppress(OSError):
                server = socket.create_connection(("127.0.0.1", self.port))
                kinds = {}
                for work in ((self.ask, client, server, kinds),
                             (self.answer, server, client, kinds)):
                    threading.Thread(target=self.guard, args=work,
                                     daemon=True).start()

    @staticmethod
    def guard(work, source, target, kinds):
        """One direction, until either side is gone; then so is the other."""
        with source, target, contextlib.suppress(OSError):
            try:
                with source.makefile("rb") as frames:
                    work(frames, target, kinds)
            finally:
                for side in (source, target):
                    side.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def frames(stream):
        while len(head := stream.read(4)) == 4:
            yield stream.read(struct.unpack(">i", head)[0])

    def ask(self, stream, target, kinds):
        for request in self.frames(stream):
            kind, _, number = struct.unpack_from(">hhi", request)
            kinds[number] = kind
            target.sendall(struct.pack(">i", len(request)) + request)

    def answer(self, stream, target, kinds):
        for answer in self.frames(stream):
            number, = struct.unpack_from(">i", answer)
            spoil = self.take(kinds.pop(number, None))
            if spoil:
                target.sendall(spoil(answer))
                if SPOILERS[spoil]:
                    return
            else:
                target.sendall(struct.pack(">i", len(answer)) + answer)

    def spoil(self, kind, spoiler):
        with self.lock:
            self.due = (kind, spoiler)

    def take(self, kind):
        with self.lock:
            if not self.due or self.due[0] != kind:
                return None
            spoiler, self.due = self.due[1], None
            return spoiler

    def has_spoiled(self):
        with self.lock:
            return self.due is None


def answers():
    proxy = Proxy()
    with OwnNode("kafka", "--advertise", proxy.place) as node, \
            harness.scratch() as folder:
        proxy.start(int(node["WEIR_KAFKA_BEHIND"].rsplit(":", 1)[1]))
        source = Topic(node["WEIR_KAFKA"]).create()
        target = Topic(node["WEIR_KAFKA"]).create()
        between = {"brokers": proxy.place,
                   "properties": "{ reconnect.backoff.max.ms: 300, "
                                 "socket.timeout.ms: 2000 }"}
        path = topology(folder, source.producer(**between),
                        sink=sink(target, **between))
        sent = 0
        with Live(path) as live:
            for spoiler in SPOILERS:
                for kind in (FETCH, PRODUCE):
                    proxy.spoil(kind, spoiler)
                    source.put(range(sent, sent + COUNT))
                    sent += COUNT
                    await_that(proxy.has_spoiled,
                               f"an answer with {spoiler.__name__}")
                    await_that(lambda: sum(target.ends().values()) >= sent,
                               f"{sent} messages behind {spoiler.__name__}")
                    expect(live.process.poll() is None, "weir ended")
            source.await_all_committed()
            live.expect_end(0)
        expect_each([message["payload"] for message in read(target)],
                    texts(range(sent)), "messages")


if __name__ == "__main__":
    harness.main({"answers": answers})
