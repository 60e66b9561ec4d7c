"""Dead letters: what failed arrives with what was received and what happened.

Into a file of JSON envelopes, so that what is read there isn't what a client
library makes of it; and into a topic of a real broker.
"""
import json
import re
import signal

import harness
from amqp_queue import Queue, channel_to
from harness import await_that, expect, expect_equal
from kafka_sink_test import read, sink
from live import Live, lines_of, topology, witness
from own_node import OwnNode
from policies_test import kcat
from topic import Topic, texts

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


def to_file(folder):
    return (f"dead_letter: {{ batch_timeout: 50ms, sink: {{ file: {{ path: "
            f"{folder}/dead, format: json, fsync: never }} }} }}")


def with_letters(folder, source, **values):
    """A topology whose rejects become lines of `folder`/dead."""
    return topology(folder, source, **{
        "more": to_file(folder), "failure": "{ then: dead_letter }",
        "handler": witness(folder, reject="bad"), **values})


def letters(folder):
    return [json.loads(text) for text in lines_of(f"{folder}/dead")]


def headers(letter):
    """By name; the last one counts."""
    return {header["name"]: header["value"] for header in letter["headers"]}


def expect_headers(letter, wanted):
    found = headers(letter)
    for name, value in wanted.items():
        expect_equal(found.get(name), value, name)
    for name in ("weir-first-failed-at", "weir-last-failed-at"):
        expect(TIME.match(found[name]), f"{name} is {found[name]}")
    for name in ("weir-host", "weir-version"):
        expect(found.get(name), f"{name} is missing")


def kafka():
    topic = Topic(harness.broker("WEIR_KAFKA"), 1).create()
    kcat(topic, b"k1:good one\n", "-K:")
    kcat(topic, b"k2:bad one\n", "-K:", "-H", "h=1", "-H", "h=2", "-H", "e=")
    kcat(topic, b"good two\n")
    with harness.scratch() as folder:
        path = with_letters(folder, topic.producer())
        with Live(path, ["--until-end"]) as live:
            live.expect_end(0, None)
            expect_equal(live.report["rejected"], 1, "rejected")
            expect_equal(live.report["counters"]["dead_letters"], 1,
                         "dead letters")
        letter, = letters(folder)
        expect_equal(sorted(lines_of(f"{folder}/out")), ["good one", "good two"],
                     "lines")
    expect_equal((letter["key"], letter["payload"]), ("k2", "bad one"),
                 "key and payload")
    expect_equal([(header["name"], header["value"])
                  for header in letter["headers"][:3]],
                 [("h", "1"), ("h", "2"), ("e", "")], "received headers")
    expect_headers(letter, {
        "weir-source": "kafka", "weir-topic": topic.name,
        "weir-partition": "0", "weir-offset": "1", "weir-code": "rejected",
        "weir-reason": "told to (attempt 1, delivered 0 before)",
        "weir-attempts": "1", "weir-pipeline": "run"})
    topic.expect_all_committed()


def kafka_too_large():
    topic = Topic(harness.broker("WEIR_KAFKA"), 1).create()
    topic.put(range(5))
    topic.send([b"big:" + b"x" * 100000 + b"\n"]).wait()
    topic.put(range(5, 10))
    with harness.scratch() as folder:
        path = with_letters(folder, topic.producer() +
                            "\n  max_message_bytes: 2000B")
        with Live(path, ["--until-end"]) as live:
            live.expect_end(0, None)
        letter, = letters(folder)
        expect_equal(sorted(lines_of(f"{folder}/out")), texts(range(10)),
                     "lines")
    expect_equal((letter["key"], letter["payload"]), ("big", None),
                 "key and payload")
    expect_headers(letter, {
        "weir-code": "size", "weir-offset": "5",
        "weir-payload-omitted": "100000"})
    topic.expect_all_committed()


def amqp():
    for kind in ("classic", "quorum"):
        queue = Queue(harness.broker("WEIR_AMQP"), kind).declare()
        queue.put([b"good one", b"good two"])
        queue.put([b"bad \xff\x00"], message_id="m1", headers={"word": "text"})
        with harness.scratch() as folder:
            path = with_letters(folder, queue.producer())
            with Live(path, ["--until-end"]) as live:
                live.expect_end(0, None)
            letter, = letters(folder)
        expect_equal(letter["payload_base64"], "YmFkIP8A", "payload")
        expect_headers(letter, {
            "word": "text", "weir-source": "amqp", "weir-queue": queue.name,
            "weir-exchange": "", "weir-routing-key": queue.name,
            "weir-code": "rejected"})
        queue.await_ready(0)
        queue.delete()


def killed_before_the_commit():
    """In the file, and not yet committed: written again, none is lost."""
    count = 500
    topic = Topic(harness.broker("WEIR_KAFKA"), 1).create()
    topic.send(b"k:bad %06d\n" % number for number in range(count)).wait()
    with harness.scratch() as folder:
        source = topic.producer(
            commit_interval="10m",
            properties="{ session.timeout.ms: 6000 }")
        path = with_letters(folder, source)
        with Live(path) as live:
            await_that(lambda: len(lines_of(f"{folder}/dead")) == count,
                       "all dead letters in the file")
            live.send(signal.SIGKILL)
            live.wait()
        with Live(path, ["--until-end"]) as live:
            live.expect_end(0, None)
            expect_equal(live.report["rejected"], count, "rejected again")
        found = [letter["payload"] for letter in letters(folder)]
    wanted = [f"bad {number:06d}" for number in range(count)]
    expect_equal(sorted(found), sorted(wanted * 2), "dead letters")
    topic.expect_all_committed()


def to_topic(topic):
    return (f"dead_letter: {{ batch_size: 20, batch_timeout: 50ms, "
            f"sink: {sink(topic)} }}")


def pairs(names_and_values):
    return list(zip(names_and_values[::2], names_and_values[1::2]))


def to_kafka():
    """The whole way: what a consumer of the dead-letter topic sees."""
    broker = harness.broker("WEIR_KAFKA")
    source, dead = Topic(broker, 1).create(), Topic(broker, 1).create()
    kcat(source, b"k1:good one\n", "-K:")
    kcat(source, b"k2:bad one\n", "-K:", "-H", "h=1", "-H", "h=2")
    kcat(source, b"k3:\n", "-K:", "-Z")
    with harness.scratch() as folder:
        path = with_letters(folder, source.producer(), more=to_topic(dead))
        with Live(path, ["--until-end"]) as live:
            live.expect_end(0, None)
    letter, = read(dead)
    expect_equal((letter["key"], letter["payload"]), ("k2", "bad one"),
                 "key and payload")
    found = pairs(letter["headers"])
    expect_equal(found[:2], [("h", "1"), ("h", "2")], "received headers")
    expect_headers({"headers": [{"name": name, "value": value}
                                for name, value in found]}, {
        "weir-topic": source.name, "weir-partition": "0", "weir-offset": "1",
        "weir-reason": "told to (attempt 1, delivered 0 before)"})
    source.expect_all_committed()


def to_amqp():
    """From one queue into another: what its consumer sees."""
    url = harness.broker("WEIR_AMQP")
    queue, dead = Queue(url, "quorum").declare(), Queue(url).declare()
    queue.put([b"good one"])
    queue.put([b"bad \xff\x00"], message_id="m1", content_type="text/plain",
              headers={"word": "text"})
    sink_of = (f"dead_letter: {{ batch_timeout: 50ms, sink: {{ amqp: {{ "
               f"url: '{url}', routing_key: {dead.name} }} }} }}")
    with harness.scratch() as folder:
        path = with_letters(folder, queue.producer(), more=sink_of)
        with Live(path, ["--until-end"]) as live:
            live.expect_end(0, None)
    queue.await_ready(0)
    (body, properties), = dead.take_all(1)
    expect_equal(body, b"bad \xff\x00", "payload")
    expect_equal((properties.message_id, properties.content_type,
                  properties.delivery_mode), ("m1", "text/plain", 2),
                 "properties")
    expect_headers({"headers": [{"name": name, "value": value} for name, value
                                in properties.headers.items()]}, {
        "word": "text", "weir-queue": queue.name, "weir-code": "rejected",
        "weir-routing-key": queue.name})
    queue.delete()
    dead.delete()


def refused_for_good():
    """No queue takes them, also without their payload: 65, and left there."""
    url = harness.broker("WEIR_AMQP")
    queue = Queue(url, "quorum").declare()
    queue.put([b"bad one"])
    sink_of = (f"dead_letter: {{ batch_timeout: 50ms, sink: {{ amqp: {{ "
               f"url: '{url}', routing_key: no-such-queue }} }} }}")
    with harness.scratch() as folder:
        path = with_letters(folder, queue.producer(), more=sink_of)
        with Live(path) as live:
            live.expect_end(65, None)
            expect_equal(live.report["counters"]["dead_letter_errors"], 2,
                         "dead_letter_errors")
            expect("no dead letter of it could be written" in live.log,
                   "the log doesn't say why")
    (body, _), = queue.take_all(1)
    expect_equal(body, b"bad one", "what is left")
    queue.delete()


def to_its_own_source_is_refused():
    kafka_source = "kafka: {{ brokers: h, group: g, topics: {} }}"
    kafka_sink = "kafka: {{ brokers: h, topic: {} }}"
    amqp_source = "amqp: { url: 'amqp://h', queue: q, bindings: [ { " \
        "exchange: e, routing_key: k } ] }\n  max_message_bytes: 1KiB"
    amqp_sink = "amqp: {{ url: 'amqp://u:p@H:5672', {} }}"
    for source, to in (
            (kafka_source.format("[orders, dead]"), kafka_sink.format("dead")),
            (kafka_source.format("['^orders']"), kafka_sink.format("orders.d")),
            (kafka_source.format("['^orders']"),
             kafka_sink.format("'%{topic}.dead'")),
            (amqp_source, amqp_sink.format("routing_key: q")),
            (amqp_source, amqp_sink.format("exchange: e, routing_key: k"))):
        with harness.scratch() as folder:
            path = topology(folder, source, failure="{ then: dead_letter }",
                            more=f"dead_letter: {{ sink: {{ {to} }} }}")
            live = Live(path)
            expect_equal(live.wait(), 78, f"exit code for {source} to {to}")
            expect("would come back and fail again" in live.log,
                   f"the log doesn't say why: {live.log}")


def broker_dies(node, more, arrived):
    """The source stops when full; back, all of the letters arrive.  `arrived`
    reads what is in the destination."""
    topic = Topic(harness.broker("WEIR_KAFKA"), 1).create()
    count = 3000

    def send(numbers):
        topic.send(b"k:%s %06d\n" % (b"bad" if number % 2 else b"good", number)
                   for number in numbers).wait()

    with harness.scratch() as folder:
        path = with_letters(folder, topic.producer(), more=more,
                            processors="max_demand: 64")
        send(range(100))
        with Live(path) as live:
            await_that(lambda: len(lines_of(f"{folder}/out")) == 50,
                       "the first good ones in the file")
            await_that(lambda: topic.committed() == {0: 100},
                       "the first dead letters, and their commit")
            node.do("kill")
            send(range(100, count))
            stands = Standing(f"{folder}/out")
            await_that(stands, "that the source stops")
            expect(50 <= stands.count < count // 2,
                   f"{stands.count} lines of {count // 2}: it did not stop")
            before = sum(topic.committed().values())
            expect(before <= 100 + 2, f"{before} are committed")
            node.do("restart")
            await_that(lambda: len(lines_of(f"{folder}/out")) == count // 2,
                       "the good ones in the file")
            topic.await_all_committed()
            live.expect_end(0)
    wanted = [f"bad {number:06d}" for number in range(1, count, 2)]
    expect_equal(sorted(set(arrived())), wanted, "dead letters")


def sink_fails():
    with OwnNode("kafka") as node:
        dead = Topic(node["WEIR_KAFKA"], 1).create()
        broker_dies(node, to_topic(dead),
                    lambda: [letter["payload"] for letter in read(dead)])


def sink_fails_amqp():
    with OwnNode("rabbitmq") as node:
        dead = Queue(node["WEIR_AMQP"], "quorum").declare()

        def bodies():
            found = []
            with channel_to(dead.url) as channel:
                while True:
                    method, _, body = channel.basic_get(dead.name, True)
                    if not method:
                        return found
                    found.append(body.decode())

        broker_dies(node, f"dead_letter: {{ batch_size: 20, batch_timeout: "
                    f"50ms, sink: {{ amqp: {{ url: '{dead.url}', "
                    f"routing_key: {dead.name} }} }} }}", bodies)


class Standing:
    """True when a file didn't grow for a second."""

    def __init__(self, path):
        self.path, self.count, self.looks = path, -1, 0

    def __call__(self):
        count = len(lines_of(self.path))
        self.looks = self.looks + 1 if count == self.count else 0
        self.count = count
        return self.looks >= 50


CASES = (kafka, kafka_too_large, amqp, killed_before_the_commit, to_kafka,
         to_amqp, refused_for_good,
         to_its_own_source_is_refused, sink_fails, sink_fails_amqp)

if __name__ == "__main__":
    harness.main({case.__name__: case for case in CASES})
