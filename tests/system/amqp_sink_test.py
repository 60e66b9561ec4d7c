"""Messages that go on to an exchange or a queue: what arrives, and what is made of
those that can't."""
import harness
from amqp_queue import Queue
from harness import expect_equal
from live import Live, topology

FRAME = 131072 - 8
BODIES = [b"", bytes(range(256)), b"x" * FRAME, b"y" * (FRAME + 1),
          b"\x00\xff" * 300000]


def source(queue, **members):
    return queue.producer(**members).replace("16KiB", "1MiB")


def sink(url, **members):
    keys = {"url": f"'{url}'", **members}
    return "{ amqp: { " + ", ".join(
        f"{key}: {value}" for key, value in keys.items()) + " } }"


def run_to_its_end(folder, producer, **values):
    with Live(topology(folder, producer, **values), ["--until-end"]) as live:
        live.expect_end(0, None)
        return live.report


def pairs(properties):
    """What pika knows of a message's properties, without what is absent."""
    return {name: value for name, value in vars(properties).items()
            if value is not None}


def carried():
    """Body, properties and headers, byte for byte."""
    url = harness.broker("WEIR_AMQP")
    old, new = Queue(url).declare(), Queue(url, "quorum").declare()
    properties = {
        "content_type": "application/x-test; charset=utf-8",
        "content_encoding": "identity", "correlation_id": "c-1",
        "reply_to": "answers", "expiration": "3600000", "message_id": "m-1",
        "timestamp": 1700000000, "type": "t", "app_id": "a", "priority": 3,
        "headers": {"plain": "text", "Käse": "größer", "empty": "",
                    "long": "z" * 5000, "weir-key": "kept"}}
    try:
        old.put(BODIES, **properties)
        old.put([b"dropped"], user_id="guest", headers={
            "x-death": [{"count": 1, "queue": "q", "reason": "rejected"}],
            "x-delivery-count": 2, "x-first-death-queue": "q", "CC": [],
            "number": 17, "truth": True})
        with harness.scratch() as folder:
            report = run_to_its_end(folder, source(old),
                                    sink=sink(url, routing_key=new.name))
        expect_equal(report["done"], len(BODIES) + 1, "done")
        taken = {body: found
                 for body, found in new.take_all(len(BODIES) + 1)}
    finally:
        old.delete()
        new.delete()
    for found in taken.values():
        # This queue's own; from RabbitMQ 4.0 only on what comes again.
        found.headers.pop("x-delivery-count", None)
    expect_equal(sorted(taken), sorted([*BODIES, b"dropped"]), "the bodies")
    for body in BODIES:
        expect_equal(pairs(taken[body]), {**properties, "delivery_mode": 2},
                     "the properties")
    expect_equal(pairs(taken[b"dropped"]), {
        "delivery_mode": 2, "headers": {"number": "17", "truth": "true"}},
        "the properties of one with a broker's notes")


if __name__ == "__main__":
    harness.main({"carried": carried})
