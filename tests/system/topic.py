"""A Kafka topic of the test's own: filled by kcat, asked without a JVM."""
import struct
import subprocess
import uuid

import harness
from harness import await_that, expect, expect_equal

OFFSET_FETCH, LIST_OFFSETS = (9, 2), (2, 1)
SURE = ("acks=all", "enable.idempotence=true", "message.timeout.ms=240000",
        "reconnect.backoff.max.ms=500")


def new_name(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


class Topic:
    def __init__(self, broker, partitions=4, name=None):
        self.broker, self.partitions = broker, partitions
        self.name = name or new_name("topic")
        self.port = int(broker.rsplit(":", 1)[1])

    def create(self, *settings):
        from nodes import wire
        wire.create_topic(self.port, self.name, self.partitions, settings)
        return self

    def producer(self, **members):
        """What `producer:` says of it; the file's group is the topic's name."""
        keys = {"brokers": f"'{self.broker}'", "group": self.name,
                "topics": f"[{self.name}]", **members}
        return "kafka: { " + ", ".join(
            f"{key}: {value}" for key, value in keys.items()) + " }"

    def send(self, lines, *options):
        """kcat under way with `key:payload` lines, none of which it gives up."""
        more = [word for pair in SURE for word in ("-X", pair)]
        feed = subprocess.Popen(
            ["kcat", "-q", "-E", "-b", self.broker, "-P", "-t", self.name, "-K:",
             *more, *options], stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        # Short enough to be taken without a broker.
        feed.stdin.write(b"".join(lines))
        feed.stdin.close()
        return feed

    def put(self, numbers, *options):
        """Message n is the number n, under one of 16 keys."""
        finish(self.send(map(line, numbers), *options))

    def ends(self):
        return self.ask(LIST_OFFSETS, struct.pack(">i", -1),
                        struct.pack(">q", -1))

    def committed(self):
        from nodes import wire
        return self.ask(OFFSET_FETCH, wire.text(self.name), b"")

    def ask(self, api, head, partition_body):
        from nodes import wire
        body = head + struct.pack(">i", 1) + wire.text(self.name)
        body += struct.pack(">i", self.partitions)
        body += b"".join(struct.pack(">i", index) + partition_body
                         for index in range(self.partitions))
        reader = wire.call(self.port, api, body, harness.WAIT_TIMEOUT_S)

        def committed():
            index, offset = reader.number("i"), reader.number("q")
            reader.text()
            return index, offset, reader.number("h")

        def end():
            index, error = reader.number("i"), reader.number("h")
            reader.number("q")
            return index, reader.number("q"), error

        read = committed if api == OFFSET_FETCH else end
        topics = reader.array(lambda: (reader.text(), reader.array(read)))
        if not topics:
            return {}  # there is no coordinator yet, or it is loading
        (_, partitions), = topics
        expect(all(error == 0 for _, _, error in partitions),
               f"the broker answers with an error: {partitions}")
        return {index: offset for index, offset, _ in partitions}

    def expect_all_committed(self):
        expect_equal(self.committed(), self.ends(), "the group's offsets")

    def await_all_committed(self):
        await_that(lambda: self.committed() == self.ends(),
                   "all that is there committed")


def line(number):
    return f"k{number % 16}:{number:06d}\n".encode()


def finish(feed):
    expect_equal(feed.wait(harness.RUN_TIMEOUT_S), 0, "exit code of kcat")


def texts(numbers):
    return [f"{number:06d}" for number in numbers]
