"""`weir check --connect` says what will go wrong, and changes nothing.

Each broker is the test's own: permissions are withdrawn, and it is frozen.
"""
import json
import os
import subprocess
import time
import urllib.request

import harness
from amqp_queue import Queue, channel_to
from harness import await_that, expect, expect_equal
from kafka_access_test import keys_of
from own_node import OwnNode
from topic import Topic, new_name

import outputs

PATIENCE_S = 120  # beside others, on a machine ten times as slow
TOPOLOGY = """\
name: orders
producer:
  {producer}
processors: {{ handler: passthrough, concurrency: 2, ordering: none }}
batchers: {{ default: {{ sink: {{ {sink} }} }} }}
failure: {{ then: {then} }}
"""


class Found:
    """What it said of a topology, in both forms."""

    def __init__(self, folder, producer, sink="discard: {}", then="drop",
                 timeout="60s"):
        path = f"{folder}/check.yaml"
        with open(path, "w", encoding="utf-8") as file:
            file.write(TOPOLOGY.format(producer=producer, sink=sink, then=then))
        began = time.monotonic()
        result = subprocess.run(
            [os.environ.get("WEIR", "weir"), "check", "--connect", "--timeout",
             timeout, "--format", "json", path], capture_output=True,
            text=True, timeout=PATIENCE_S, check=False)
        self.seconds = time.monotonic() - began
        self.code, self.text = result.returncode, result.stdout
        outputs.keep("check", result.stdout + result.stderr)
        expect(not outputs.found_in(result.stdout + result.stderr),
               f"a secret is said: {self.text}")
        expect_equal(self.code in (0, 69), True, f"exit code {self.code}")
        self.list = json.loads(self.text)["findings"]
        errors = [one for one in self.list if one["severity"] == "error"]
        expect_equal(self.code, 69 if errors else 0, "exit code")

    def has(self, severity, where, *words):
        for one in self.list:
            said = f"{one['what']}: {one['advice']}"
            if one["severity"] == severity and where in one["where"] \
                    and all(word in said for word in words):
                return self
        raise harness.Failed(f"no {severity} of {where} with {words} in "
                             f"{self.text}")

    def has_no(self, severity):
        found = [one for one in self.list if one["severity"] == severity]
        expect(not found, f"{severity}: {found}")
        return self


def kafka_is_there(folder, node, source, target):
    """Partitions, sizes, and a topic that nobody is to make."""
    absent = new_name("absent")
    sink = f"kafka: {{ brokers: '{node['WEIR_KAFKA']}', topic: {absent} }}"
    ends = source.ends()
    found = Found(folder, source.producer() + "\n  concurrency: 6", sink)
    found.has("ok", f"topic {source.name}", "4 partitions")
    found.has("ok", f"topic {source.name}", "may be read")
    found.has("warning", "partitions", "2 of the producer's 6 instances")
    found.has("warning", f"topic {source.name}", "up to 2000000 bytes")
    found.has("error", f"topic {absent}", "not there")
    sink = f"kafka: {{ brokers: '{node['WEIR_KAFKA']}', topic: {target.name} }}"
    found = Found(folder, source.producer(), sink).has_no("error")
    found.has("warning", f"topic {target.name}", "up to 1000 bytes")

    from nodes import wire
    expect(not wire.partitions(source.port, absent), "it made a topic")
    expect_equal(source.ends(), ends, "the source's ends")
    expect_equal(set(target.ends().values()), {0}, "the target's ends")
    expect_equal(set(source.committed().values()) or {-1}, {-1},
                 "what the group has committed")


def kafka_permissions(folder, node, source):
    from nodes import wire
    login = "{ mechanism: PLAIN, username: alice, password: alice-secret }"
    producer = source.producer(brokers=f"'{node['WEIR_KAFKA_SASL']}'",
                               **keys_of(node, login))
    topic, group = f"topic {source.name}", f"group {source.name}"

    def found():
        return Found(folder, producer)
    found().has("error", topic, "may not look at it", "grant Read")
    wire.allow(source.port, "alice", "describe", "topic", source.name)
    found().has("error", topic, "may not read", "grant Read") \
           .has("error", group, "may not use", "grant Read") \
           .has("ok", "certificate of localhost:", "valid for")
    wire.allow(source.port, "alice", "read", "topic", source.name)
    wire.allow(source.port, "alice", "read", "group", source.name)
    found().has_no("error").has("ok", topic, "may be read")


def kafka():
    with OwnNode("kafka", "--tls", "--acl", "--conf",
                 "auto.create.topics.enable=true") as node, \
            harness.scratch() as folder:
        source = Topic(node["WEIR_KAFKA"]).create("max.message.bytes=2000000")
        target = Topic(node["WEIR_KAFKA"]).create("max.message.bytes=1000")
        source.put(range(20))
        kafka_is_there(folder, node, source, target)
        kafka_permissions(folder, node, source)
        node.do("freeze")
        found = Found(folder, source.producer(), timeout="1s")
        found.has("error", "brokers", "no answer")
        expect(found.seconds < PATIENCE_S / 2, f"it took {found.seconds} s")


def manage(node, method, path, body=None):
    """The management plugin's answer; quicker than rabbitmqctl."""
    place = node["WEIR_AMQP_MANAGEMENT"].replace("guest:guest@", "")
    request = urllib.request.Request(
        f"{place}/api/{path}", method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": "Basic Z3Vlc3Q6Z3Vlc3Q=",
                 "Content-Type": "application/json"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=harness.WAIT_TIMEOUT_S) as answer:
        return answer.read()


class Queues:
    """What a node has, and what a message of it went through."""

    def __init__(self, node):
        self.node = node
        self.dead = Queue(node["WEIR_AMQP"], "quorum", x_delivery_limit=5,
                          x_dead_letter_exchange="nowhere").declare()
        self.plain = Queue(node["WEIR_AMQP"]).declare()
        self.dead.put([b"one"])
        self.before = sorted((self.dead.name, self.plain.name))
        await_that(lambda: self.names() == self.before, "both queues")

    def names(self):
        return sorted(queue["name"] for queue in
                      json.loads(manage(self.node, "GET", "queues/%2F")))

    def expect_unchanged(self):
        """No queue more, none less, and nobody had the message."""
        expect_equal(self.names(), self.before, "the queues")
        with channel_to(self.node["WEIR_AMQP"]) as channel:
            for queue in (self.dead, self.plain):
                method, _, body = channel.basic_get(queue.name)
                expect_equal(body, b"one" if queue is self.dead else None,
                             "what is in the queue")
                expect(not method or not method.redelivered,
                       "somebody had the message")
                if method:
                    channel.basic_reject(method.delivery_tag, requeue=True)


def without_management(folder, queues):
    url = queues.node["WEIR_AMQP"]
    found = Found(folder, queues.dead.producer(),
                  f"amqp: {{ url: '{url}', routing_key: {queues.plain.name} }}",
                  then="reject")
    where = f"queue {queues.dead.name}"
    found.has("ok", "broker", "RabbitMQ")
    found.has("ok", where, "1 messages wait").has("ok", where, "may be read")
    found.has("ok", where, "it is a quorum queue")
    found.has("error", where, "dead-letter exchange nowhere is not there")
    found.has("unknown", where, "its delivery limit cannot be known over AMQP",
              "management_url")
    found.has("ok", f"queue {queues.plain.name}", "may be written")

    absent = new_name("absent")
    other = Queue(url)
    other.name = absent
    found = Found(folder, other.producer(),
                  f"amqp: {{ url: '{url}', exchange: {absent} }}")
    found.has("error", f"queue {absent}", "not there")
    found.has("error", f"exchange {absent}", "not there")
    Found(folder, other.producer(declare="{ type: quorum }")).has_no("error") \
        .has("ok", f"queue {absent}", "`declare` will make it")
    Found(folder, queues.dead.producer(declare="{ type: classic }")) \
        .has("error", where, "not as `declare` says")


def with_management(folder, queues):
    node, plain = queues.node, queues.plain
    keys = {"management_url": f"'{node['WEIR_AMQP_MANAGEMENT']}'"}
    where = f"queue {queues.dead.name}"
    found = Found(folder, queues.dead.producer(**keys), then="reject")
    found.has_no("unknown").has("ok", where, "quorum queue, durable")
    found.has("warning", where, "after 5 deliveries", "`delivery_limit`")
    found.has("error", where, "dead-letter exchange nowhere is not there")

    where = f"queue {plain.name}"
    found = Found(folder, plain.producer(**keys), then="reject")
    found.has("warning", where, "what is rejected is lost")
    manage(node, "PUT", "policies/%2F/letters", {
        "pattern": f"^{plain.name}$",
        "definition": {"dead-letter-exchange": "amq.fanout"}})

    def is_seen():
        return "amq.fanout" in Found(folder, plain.producer(**keys)).text
    await_that(is_seen, "the policy's exchange")
    Found(folder, plain.producer(**keys), then="reject") \
        .has("error", where, "amq.fanout leads to no queue")


def without_rights(folder, queues):
    node = queues.node
    manage(node, "PUT", "users/eve", {"password": "eve-secret", "tags": ""})
    manage(node, "PUT", "permissions/%2F/eve",
           {"configure": "^$", "write": "^$", "read": "^$"})
    url = node["WEIR_AMQP"].replace("guest:guest", "eve:eve-secret")
    eve = Queue(url)
    eve.name = queues.plain.name
    management = node["WEIR_AMQP_MANAGEMENT"].replace("guest:guest@", "")
    found = Found(folder, eve.producer(management_url=f"'{management}'"),
                  f"amqp: {{ url: '{url}', exchange: amq.topic }}")
    found.has("error", f"queue {eve.name}", "lacks the permission to read")
    found.has("error", "exchange amq.topic", "lacks the permission to write")
    found.has("warning", "management_url", "refuses user eve")
    eve.url = url.replace("eve-secret", "planted-secret")
    Found(folder, eve.producer()).has("error", "broker", "check user and")


def amqp():
    with OwnNode("rabbitmq", "--management", "--tls") as node, \
            harness.scratch() as folder:
        queues = Queues(node)
        without_management(folder, queues)
        with_management(folder, queues)
        without_rights(folder, queues)
        secure = Queue(node["WEIR_AMQPS"])
        secure.name = queues.plain.name
        Found(folder, secure.producer(
            tls=f"{{ ca: {node['WEIR_AMQP_TLS_DIR']}/ca.pem }}")) \
            .has("ok", "certificate of localhost:", "valid for")
        queues.expect_unchanged()
        node.do("freeze")
        found = Found(folder, queues.plain.producer(), timeout="1s")
        found.has("error", "broker", "no answer in time")
        found = Found(folder, secure.producer(), timeout="1s")
        found.has("error", "broker")
        expect(found.seconds < PATIENCE_S / 2, f"it took {found.seconds} s")


if __name__ == "__main__":
    harness.main({"kafka": kafka, "amqp": amqp})
