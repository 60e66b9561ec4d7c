"""What a broker allowed is refused in mid-stream: said, waited for, and outlived.

    messages   ------------          ------------
    allowed    yes         | refused |         yes
    weir       handles       says so   goes on with what it had

The connection is closed where the refusal begins, since a broker asks only those
who come.
"""
import shutil

import harness
from amqp_queue import Queue
from harness import await_that
from live import Live, expect_each, lines_of, topology, witness
from own_node import OwnNode

COUNT = 400


def numbers(first, count):
    return [f"{number:06d}" for number in range(first, first + count)]


def refused(options, prepare, refuse, allow, said):
    """`prepare` gives the producer's url and more keys of it."""
    with OwnNode("rabbitmq", *options) as node, harness.scratch() as folder:
        queue = Queue(node["WEIR_AMQP"]).declare()
        out, wanted = f"{folder}/out", numbers(0, COUNT)
        queue.put(text.encode() for text in wanted)
        url, keys = prepare(node)
        producer = Queue(url)
        producer.name = queue.name
        path = topology(folder, producer.producer(**keys),
                        handler=witness(folder, delay="5ms"))
        with Live(path) as live:
            await_that(lambda: len(lines_of(out)) >= COUNT // 8,
                       "some messages in the file")
            refuse(node)
            node.tool("close_all_connections", "by a test")
            live.await_log(said)
            more = numbers(COUNT, COUNT)
            queue.put(text.encode() for text in more)
            allow(node)
            await_that(lambda: set(wanted + more) <= set(lines_of(out)),
                       "every message in the file")
            live.expect_end(0)
            expect_each(lines_of(out), wanted + more, "messages in the file")


def permissions():
    def prepare(node):
        node.tool("add_user", "alice", "alice-secret")
        allow(node)
        return node["WEIR_AMQP"].replace("guest:guest",
                                         "alice:alice-secret"), {}

    def refuse(node):
        node.tool("set_permissions", "alice", "^$", "^$", "^$")

    def allow(node):
        node.tool("set_permissions", "alice", ".*", ".*", ".*")

    refused((), prepare, refuse, allow, "the user lacks the permission")


def certificate():
    def prepare(node):
        folder = node["WEIR_AMQP_TLS_DIR"]
        for kind in ("pem", "key"):
            shutil.copy(f"{folder}/server.{kind}", f"{folder}/good.{kind}")
        return node["WEIR_AMQPS"], {"tls": f"{{ ca: {folder}/ca.pem }}"}

    def show(node, name):
        """From now on to those who come."""
        folder = node["WEIR_AMQP_TLS_DIR"]
        for kind in ("pem", "key"):
            shutil.copy(f"{folder}/{name}.{kind}", f"{folder}/server.{kind}")
        node.tool("eval", "ssl:clear_pem_cache().")

    refused(("--tls",), prepare, lambda node: show(node, "expired"),
            lambda node: show(node, "good"), "certificate has expired")


if __name__ == "__main__":
    harness.main({"permissions": permissions, "certificate": certificate})
