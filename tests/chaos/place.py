"""Brokers, and links to them that can be broken.

    load, checker ------------------> broker
    weir ----> proxy (source) ------> broker
         ----> proxy (end, AMQP) ---> broker

A Kafka client is told by the broker where to connect, so the broker names the
proxy there; source and end of the same Kafka share it.
"""
import own_node
from cluster import Cluster
from nodes import process, wire
from proxy import Proxy


class Node(own_node.OwnNode):
    """Started whether or not the environment has brokers."""

    def __init__(self, kind, *options):  # pylint: disable=super-init-not-called
        self.kind, self.options = kind, options
        self.folder, self.variables = None, {}


class Place:
    """What a path needs is started when it is first asked for."""
    host, listener = "127.0.0.1", None

    def __init__(self, stack, loop):
        self.stack, self.loop = stack, loop
        self.nodes, self.links = {}, {}

    def around(self):
        """What weir is started by."""
        return []

    def kafka(self):
        if "kafka" not in self.nodes:
            port, = process.free_ports(1)
            node = self.stack.enter_context(
                Node("kafka", "--advertise", f"{self.host}:{port}"))
            self.nodes["kafka"] = node
            self.links["kafka"] = Proxy(self.loop, port,
                                        address(node["WEIR_KAFKA_BEHIND"]),
                                        self.listener)
        return self.nodes["kafka"]

    def amqp(self):
        if "amqp" not in self.nodes:
            node = self.stack.enter_context(Node("rabbitmq"))
            self.nodes["amqp"] = node
            target = address(node["WEIR_AMQP"].split("@")[1])
            for name in ("amqp source", "amqp end"):
                port, = process.free_ports(1)
                self.links[name] = Proxy(self.loop, port, target,
                                         self.listener)
        return self.nodes["amqp"]

    def brokers(self):
        return self.kafka()["WEIR_KAFKA"]

    def kafka_place(self):
        self.kafka()
        return f"{self.host}:{self.links['kafka'].port}"

    def url(self):
        return self.amqp()["WEIR_AMQP"]

    def amqp_place(self, side):
        self.amqp()
        port = self.links[f"amqp {side}"].port
        return f"amqp://guest:guest@{self.host}:{port}"

    def create_topic(self, name, partitions):
        wire.create_topic(address(self.brokers())[1], name, partitions)

    def links_of(self, kind, side):
        """The link of a path's source or end."""
        return self.links["kafka" if kind == "kafka" else f"amqp {side}"]


class ClusterPlace:
    """Three nodes, with no proxy before them."""

    def __init__(self, stack):
        self.stack, self.nodes = stack, {}

    def cluster(self):
        if "kafka" not in self.nodes:
            self.nodes["kafka"] = self.stack.enter_context(Cluster())
        return self.nodes["kafka"]

    def around(self):
        return []

    def brokers(self):
        return self.cluster()["WEIR_KAFKA"]

    kafka_place = brokers

    def create_topic(self, name, partitions):
        self.cluster().create_topic(name, partitions)


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)
