"""Messages that go on to an exchange or a queue: what arrives, and what is made of
those that can't."""
import uuid

import pika

import harness
from amqp_queue import Queue, channel_to
from harness import await_that, expect, expect_equal
from live import Live, topology
from own_node import OwnNode

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


def returned():
    """No queue for it: rejected, alone."""
    url = harness.broker("WEIR_AMQP")
    old, new = Queue(url).declare(), Queue(url).declare()
    try:
        for number in range(60):
            old.put([b"%02d" % number], headers={
                "to": "nowhere" if number % 20 == 7 else new.name})
        with harness.scratch() as folder:
            path = topology(folder, source(old), failure="{ then: reject }",
                            sink=sink(url, routing_key='"%{header.to}"'))
            with Live(path, ["--until-end"]) as live:
                live.expect_end(0, None)
                log, report = live.log, live.report
        taken = new.take_all(57)
    finally:
        old.delete()
        new.delete()
    expect_equal(sorted(body for body, _ in taken),
                 [b"%02d" % number for number in range(60)
                  if number % 20 != 7], "what arrived")
    expect_equal((report["done"], report["counters"]["rejected_sink"]), (57, 3),
                 "done and rejected")
    expect("312 NO_ROUTE" in log and '"nowhere"' in log,
           f"the log doesn't say why: {log}")
    expect_equal(report["counters"]["reconnects"], 0, "reconnects")


def unconfirmed_by_design():
    """Without `mandatory` what no queue takes is the broker's to drop."""
    url = harness.broker("WEIR_AMQP")
    old = Queue(url).declare()
    try:
        old.put([b"a", b"b"])
        with harness.scratch() as folder:
            report = run_to_its_end(
                folder, source(old), sink=sink(url, routing_key="nowhere",
                                               mandatory="false"))
    finally:
        old.delete()
    expect_equal((report["done"], report["rejected"]), (2, 0), "the ledger")


def declared():
    """The exchange is made where that is asked for; one that was declared
    otherwise is said, and waited for."""
    url = harness.broker("WEIR_AMQP")
    old, new = Queue(url).declare(), Queue(url).declare()
    name = f"exchange-{uuid.uuid4().hex[:12]}"
    rest = f"{name}-rest"
    members = {"exchange": name, "routing_key": "a.b",
               "declare": "{ type: topic, durable: false, arguments: "
                          f"{{ alternate-exchange: {rest} }} }}"}

    def is_there():
        try:
            with channel_to(url) as channel:
                channel.exchange_declare(name, passive=True)
                return True
        except pika.exceptions.ChannelClosedByBroker:
            return False

    try:
        with harness.scratch() as folder:
            path = topology(folder, source(old), sink=sink(url, **members))
            with Live(path) as live:
                await_that(is_there, "the exchange")
                with channel_to(url) as channel:
                    channel.exchange_declare(rest, "fanout")
                    channel.exchange_declare(  # as it was asked for
                        name, "topic", arguments={"alternate-exchange": rest})
                    channel.queue_bind(new.name, name, "a.*")
                old.put([b"first"])
                await_that(lambda: new.state()[0] == 1, "the message")
                live.expect_end(0)
            with channel_to(url) as channel:
                channel.exchange_delete(name)
                channel.exchange_declare(name, "fanout")
            with Live(path) as live:
                live.await_log("declared otherwise", "inequivalent arg")
                live.expect_end(0)
    finally:
        with channel_to(url) as channel:
            channel.exchange_delete(name)
            channel.exchange_delete(rest)
        old.delete()
        new.delete()


def exchange_waits():
    """One that isn't there, or goes away, is waited for."""
    url = harness.broker("WEIR_AMQP")
    old, new = Queue(url).declare(), Queue(url).declare()
    exchange = f"exchange-{uuid.uuid4().hex[:12]}"
    rest = f"{exchange}-rest"
    with channel_to(url) as channel:
        channel.exchange_declare(rest, "fanout")
        channel.queue_bind(new.name, rest)

    def declare():
        """It leads to the queue from its first moment on."""
        with channel_to(url) as channel:
            channel.exchange_declare(exchange, "fanout",
                                     arguments={"alternate-exchange": rest})

    def delete():
        with channel_to(url) as channel:
            channel.exchange_delete(exchange)

    try:
        with harness.scratch() as folder:
            old.put([b"first"])
            path = topology(folder, source(old),
                            sink=sink(url, exchange=exchange))
            with Live(path) as live:
                live.await_log("waiting for it")
                declare()
                await_that(lambda: new.state()[0] == 1, "the first message")
                delete()
                old.put([b"second"])
                await_that(lambda: live.log.count("waiting for it") >= 2,
                           "it waits again")
                declare()
                await_that(lambda: new.state()[0] == 2, "the second message")
                live.expect_end(0)
                expect_equal(live.report["rejected"], 0, "rejected")
        delete()
    finally:
        with channel_to(url) as channel:
            channel.exchange_delete(rest)
        old.delete()
        new.delete()


def too_large():
    """The broker closes the channel for one: found, and rejected alone."""
    with OwnNode("rabbitmq", "--conf", "max_message_size=100000") as node, \
            harness.scratch() as folder:
        new = Queue(node["WEIR_AMQP"]).declare()
        lines = [f"{number:03d}" for number in range(300)]
        with open(f"{folder}/in", "w", encoding="ascii") as file:
            for line in lines:
                file.write(line + ("x" * 200000 if line in ("100", "150")
                                   else "") + "\n")
        path = topology(folder, "stdin: {}",
                        sink=sink(node["WEIR_AMQP"], routing_key=new.name))
        with open(f"{folder}/in", encoding="ascii") as file, \
                Live(path, stdin=file) as live:
            live.expect_end(0, None)
            expect_equal(live.report["counters"]["rejected_sink"], 2, "rejected")
            expect("larger than configured max size" in live.log,
                   "the log doesn't say why")
        found = {body.decode() for body, _ in new.take_all(new.state()[0])}
    expect_equal(sorted(found), [line for line in lines
                                 if line not in ("100", "150")], "arrived")


def tls():
    """The same bytes behind TLS, also of bodies of many frames."""
    with OwnNode("rabbitmq", "--tls") as node, harness.scratch() as folder:
        old, new = (Queue(node["WEIR_AMQP"]).declare() for _ in range(2))
        bodies = [*BODIES, *(b"%d" % number for number in range(500))]
        old.put(bodies)
        ca = f"{node['WEIR_AMQP_TLS_DIR']}/ca.pem"
        run_to_its_end(folder, source(old), sink=sink(
            node["WEIR_AMQPS"], routing_key=new.name, tls=f"{{ ca: {ca} }}"))
        taken = [body for body, _ in new.take_all(len(bodies))]
    expect_equal(sorted(taken), sorted(bodies), "the bodies")


if __name__ == "__main__":
    harness.main({
        "carried": carried, "returned": returned, "too_large": too_large,
        "unconfirmed_by_design": unconfirmed_by_design,
        "exchange_waits": exchange_waits, "declared": declared, "tls": tls})
