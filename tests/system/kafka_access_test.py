"""What a Kafka allowed is refused in mid-stream: said, and outlived.

A source waits until it is allowed again. What a sink may not write is rejected,
message by message, and becomes a dead letter.
"""
import shutil

import harness
from harness import await_that, expect
from kafka_sink_test import arrived, read, sink
from live import Live, expect_each, lines_of, topology, witness
from own_node import OwnNode
from topic import Topic, texts

COUNT = 300


def keys_of(node, login=""):
    """Properties that a secure listener wants of a client."""
    return {"tls": f"{{ ca: {node['WEIR_KAFKA_TLS_DIR']}/ca.pem }}",
            "properties": "{ broker.address.family: v4, "
                          "reconnect.backoff.max.ms: 500 }",
            **({"sasl": login} if login else {})}


class Stream:
    """Numbered messages into a topic, a step at a time."""

    def __init__(self, topic):
        self.topic, self.sent = topic, 0

    def put(self, count=COUNT):
        self.topic.put(range(self.sent, self.sent + count))
        self.sent += count

    def wanted(self):
        return texts(range(self.sent))


def permissions():
    from nodes import wire
    with OwnNode("kafka", "--tls", "--acl") as node, \
            harness.scratch() as folder:
        source = Topic(node["WEIR_KAFKA"]).create()
        target = Topic(node["WEIR_KAFKA"]).create()
        stream, dead = Stream(source), f"{folder}/dead"
        reads = ("alice", "read", "topic", source.name)
        writes = ("alice", "write", "topic", target.name)
        for rule in (reads, writes, ("alice", "read", "group", source.name)):
            wire.allow(source.port, *rule)
        login = "{ mechanism: PLAIN, username: alice, password: alice-secret }"
        secure = {"brokers": node["WEIR_KAFKA_SASL"], **keys_of(node, login)}
        path = topology(
            folder, source.producer(**secure), sink=sink(target, **secure),
            handler=witness(folder, delay="1ms"), batch_size=20,
            more="dead_letter: { batch_timeout: 50ms, sink: { file: "
                 f"{{ path: {dead}, fsync: never }} }} }}",
            failure="{ then: dead_letter }")
        with Live(path) as live:
            stream.put()
            await_that(lambda: arrived(target) > 0, "messages in the target")
            wire.forbid(source.port, *reads)
            live.await_log("grant Read")
            stream.put()
            expect(live.process.poll() is None, "weir ended")
            wire.allow(source.port, *reads)
            await_that(lambda: arrived(target) >= stream.sent,
                       "what came meanwhile in the target")
            expect(not lines_of(dead), "something was dead-lettered")

            wire.forbid(source.port, *writes)
            stream.put()
            await_that(lambda: lines_of(dead), "dead letters")
            wire.allow(source.port, *writes)
            before = arrived(target)

            def flows():
                stream.put(COUNT // 10)
                return arrived(target) > before
            await_that(flows, "more messages in the target")

            def found():
                return [message["payload"] for message in read(target)]
            await_that(lambda: set(stream.wanted()) <=
                       set(found()) | set(lines_of(dead)), "every message")
            source.await_all_committed()
            live.expect_end(0)
            expect_each(found() + lines_of(dead), stream.wanted(),
                        "messages and dead letters")


def certificate():
    """The broker comes back with a certificate that has expired."""
    with OwnNode("kafka", "--tls") as node, harness.scratch() as folder:
        tls = node["WEIR_KAFKA_TLS_DIR"]
        source = Topic(node["WEIR_KAFKA"]).create()
        target = Topic(node["WEIR_KAFKA"]).create()
        stream = Stream(source)
        secure = {"brokers": node["WEIR_KAFKA_TLS"], **keys_of(node)}
        path = topology(folder, source.producer(**secure),
                        sink=sink(target, **secure), batch_size=20,
                        handler=witness(folder, delay="1ms"))
        shutil.copy(f"{tls}/server.store.pem", f"{folder}/good")

        def show(store):
            node.do("stop")
            shutil.copy(store, f"{tls}/server.store.pem")
            node.do("restart")

        with Live(path) as live:
            stream.put()
            await_that(lambda: arrived(target) > 0, "messages in the target")
            show(f"{tls}/expired.store.pem")
            live.await_log("certificate has expired")
            stream.put()
            show(f"{folder}/good")
            await_that(lambda: arrived(target) >= stream.sent,
                       "every message in the target")
            source.await_all_committed()
            live.expect_end(0)
        expect_each([message["payload"] for message in read(target)],
                    stream.wanted(), "messages")


if __name__ == "__main__":
    harness.main({"permissions": permissions, "certificate": certificate})
