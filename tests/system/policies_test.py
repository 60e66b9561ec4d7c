"""What becomes of messages that fail, and what a handler sees of those that don't.

Each policy is looked at from the broker's side: what is in the queue, what in the
dead-letter queue, where the group's offset is.
"""
import subprocess

import harness
from amqp_queue import Queue
from harness import expect, expect_equal
from live import Live, expect_each, lines_of, topology, witness
from topic import Topic, texts

RETRY = "retry: { attempts: 1, backoff: { min: 20ms, max: 100ms } }"
GOOD = [f"good {number}" for number in range(20)]
LIMIT_BYTES = 2000


class Letters:
    """A queue with another one for what is dead-lettered from it."""

    def __init__(self, kind="quorum", **arguments):
        url = harness.broker("WEIR_AMQP")
        self.dead = Queue(url).declare()
        self.queue = Queue(url, kind, x_dead_letter_exchange="",
                           x_dead_letter_routing_key=self.dead.name,
                           **arguments).declare()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.queue.delete()
        self.dead.delete()

    def put(self, bodies):
        self.queue.put(body.encode() for body in bodies)

    def run(self, folder, then, **members):
        """Handles until the good ones are there and the bad one is dead."""
        path = topology(
            folder, self.queue.producer(**members),
            failure=f"{{ {RETRY}, then: {then} }}",
            handler=witness(folder, reject="bad"))
        with Live(path) as live:
            harness.await_that(lambda: self.dead.state()[0] == 1,
                               "one dead letter")
            harness.await_that(
                lambda: len(lines_of(f"{folder}/out")) >= len(GOOD),
                "the good ones in the file")
            live.expect_end(0)
        expect_equal(sorted(lines_of(f"{folder}/out")), sorted(GOOD), "lines")
        self.queue.await_ready(0)
        (body, properties), = self.dead.take_all(1)
        expect_equal(body, b"bad one", "the dead letter")
        return live, properties.headers["x-death"][0]["reason"]


def amqp_reject():
    for kind in ("classic", "quorum"):
        with Letters(kind) as letters, harness.scratch() as folder:
            letters.put([*GOOD, "bad one"])
            live, reason = letters.run(folder, "reject")
            expect_equal(reason, "rejected", "why it is dead")
            expect_equal(live.report["rejected"], 1, "rejected")
            expect("told to" in live.log, "the log doesn't say why")


def amqp_requeue():
    """Counted by the broker, and given up within 3 of its limit."""
    with Letters(x_delivery_limit=6) as letters, harness.scratch() as folder:
        letters.put([*GOOD, "bad one"])
        live, reason = letters.run(folder, "requeue", delivery_limit=6)
        expect_equal(reason, "rejected", "why it is dead")
        for before in range(4):
            expect(f"delivered {before} before" in live.log,
                   f"delivery {before} isn't told")
        expect_equal(live.report["received"], len(GOOD) + 4, "received")
        expect_equal(live.report["abandoned"], 3, "requeued")
        expect_equal(live.report["rejected"], 1, "rejected")


def amqp_requeue_once():
    with Letters() as letters, harness.scratch() as folder:
        letters.put([*GOOD, "bad one"])
        live, reason = letters.run(folder, "requeue_once")
        expect_equal(reason, "rejected", "why it is dead")
        expect_equal(live.report["received"], len(GOOD) + 2, "received")


def amqp_stop():
    with Letters() as letters, harness.scratch() as folder:
        letters.put([*GOOD, "bad one", *GOOD])
        path = topology(folder, letters.queue.producer(),
                        failure="{ then: stop }",
                        handler=witness(folder, reject="bad"))
        with Live(path) as live:
            live.expect_end(65, None)
            told = [text for text in live.log.splitlines()
                    if "told to" in text and " error " in text]
            expect_equal(len(told), 1, f"lines that say why: {told}")
        left = len(GOOD) * 2 + 1 - live.report["done"]
        bodies = [body for body, _ in letters.queue.take_all(left)]
        expect(b"bad one" in bodies, "what failed is not in the queue")
        expect_equal(letters.dead.state()[0], 0, "dead letters")


def kafka_stop():
    numbers = range(100)
    topic = Topic(harness.broker("WEIR_KAFKA"), 1).create()
    topic.put(numbers)
    with harness.scratch() as folder:
        path = topology(folder, topic.producer(),
                        processors="ordering: partition",
                        failure="{ then: stop }",
                        handler=witness(folder, reject="000050"))
        with Live(path) as live:
            live.expect_end(65, None)
            expect("told to" in live.log and "50" in live.log,
                   "the log doesn't say which message failed, and why")
        expect_equal(topic.committed(), {0: 50}, "the group's offset")
        expect_equal(lines_of(f"{folder}/out"), texts(range(50)), "lines")


def too_large_kafka():
    numbers = range(20)
    topic = Topic(harness.broker("WEIR_KAFKA"), 1).create()
    topic.put(numbers)
    topic.send([b"big:" + b"x" * 100000 + b"\n"]).wait()
    topic.put(range(20, 40))
    with harness.scratch() as folder:
        path = topology(folder, topic.producer() +
                        f"\n  max_message_bytes: {LIMIT_BYTES}B")
        with Live(path, ["--until-end"]) as live:
            live.expect_end(0, None)
            expect_equal(live.report["counters"]["rejected_size"], 1,
                         "too large")
        expect_equal(sorted(lines_of(f"{folder}/out")), texts(range(40)),
                     "lines")
    topic.expect_all_committed()


def too_large_amqp():
    with Letters() as letters, harness.scratch() as folder:
        letters.put([*GOOD[:10], "x" * 100000, *GOOD[10:]])
        path = topology(folder, letters.queue.producer(),
                        failure="{ then: reject }")
        with Live(path, ["--until-end"]) as live:
            live.expect_end(0, None)
            expect_equal(live.report["counters"]["rejected_size"], 1,
                         "too large")
        expect_each(lines_of(f"{folder}/out"), GOOD, "lines")
        (body, _), = letters.dead.take_all(1)
        expect_equal(len(body), 100000, "the dead letter's size")


def described(folder, source, count):
    """Each message as the handler sees it: a dictionary of what it said."""
    path = topology(folder, source, handler=witness(folder, describe=True),
                    processors="ordering: none")
    with Live(path, ["--until-end"]) as live:
        live.expect_end(0, None)
    lines = lines_of(f"{folder}/out")
    expect_equal(len(lines), count, f"lines: {lines}")
    return [[tuple(part.split("=", 1)) for part in text.split("|")]
            for text in lines]


def kcat(topic, text, *options):
    subprocess.run(["kcat", "-q", "-b", topic.broker, "-P", "-t", topic.name,
                    "-p", "0", *options], input=text, check=True, timeout=60)


def visible_kafka():
    """A null payload, an empty one, no key, an empty key; headers repeat."""
    topic = Topic(harness.broker("WEIR_KAFKA"), 1).create()
    kcat(topic, b"both:here\n", "-K:")
    kcat(topic, b"tombstone:\n", "-K:", "-Z")
    kcat(topic, b"empty:\n", "-K:")
    kcat(topic, b"no key\n")
    kcat(topic, b":empty key\n", "-K:")
    kcat(topic, b"headers\n", "-H", "h=1", "-H", "h=2", "-H", "e=")
    with harness.scratch() as folder:
        found = described(folder, topic.producer(), 6)
    found.sort(key=lambda parts: int(dict(parts)["offset"]))
    expect_equal([(dict(parts)["key"], dict(parts)["payload"])
                  for parts in found],
                 [("both", "here"), ("tombstone", "(absent)"), ("empty", ""),
                  ("(absent)", "no key"), ("", "empty key"),
                  ("(absent)", "headers")], "keys and payloads")
    expect_equal([part for part in found[5] if part[0].startswith("header.")],
                 [("header.h", "1"), ("header.h", "2"), ("header.e", "")],
                 "headers")
    expect_equal({(dict(parts)["topic"], dict(parts)["partition"],
                   dict(parts)["attempt"]) for parts in found},
                 {(topic.name, "0", "1")}, "topic, partition, attempt")


def visible_amqp():
    queue = Queue(harness.broker("WEIR_AMQP"), "quorum").declare()
    queue.put([b"here"], content_type="text/plain", message_id="m1",
              correlation_id="c1", reply_to="r1", type="t1", app_id="a1",
              headers={"word": "text", "number": 7})
    queue.put([b""])
    with harness.scratch() as folder:
        here, empty = sorted(
            (dict(parts) for parts in described(folder, queue.producer(), 2)),
            key=lambda parts: parts["payload"] == "")
    for name, value in {"payload": "here", "key": "(absent)",
                        "topic": queue.name, "partition": "-1",
                        "offset": "-1", "attempt": "1", "deliveries": "0",
                        "header.word": "text", "header.number": "7",
                        "routing_key": queue.name, "message_id": "m1",
                        "content_type": "text/plain", "correlation_id": "c1",
                        "reply_to": "r1", "type": "t1", "app_id": "a1",
                        "exchange": ""}.items():
        expect_equal(here.get(name), value, name)
    expect_equal(empty["payload"], "", "an empty payload")
    queue.delete()


CASES = (amqp_reject, amqp_requeue, amqp_requeue_once, amqp_stop, kafka_stop,
         too_large_kafka, too_large_amqp, visible_kafka, visible_amqp)

if __name__ == "__main__":
    harness.main({case.__name__: case for case in CASES})
