"""Three Kafka nodes: who leads, who coordinates, and one of them away."""
import re
import struct

import own_node
from harness import await_that
from nodes import wire

FIND_COORDINATOR = (10, 0)
NODES = 3


class Cluster(own_node.OwnNode):
    kind = "cluster"

    def __init__(self):  # pylint: disable=super-init-not-called
        self.kind, self.options = "kafka", ("--nodes", str(NODES))
        self.folder, self.variables = None, {}

    def __exit__(self, kind, error, trace):
        for number in range(1, NODES + 1):
            self.brokers("kill", f"{self.folder}/{number}")
        super().__exit__(kind, error, trace)

    def do(self, verb, number=None):
        if number is not None:
            self.brokers(verb, f"{self.folder}/{number}")

    def ports(self):
        return [int(place.rsplit(":", 1)[1])
                for place in self["WEIR_KAFKA"].split(",")]

    def create_topic(self, name, partitions):
        wire.create_topic(self.ports()[0], name, partitions, copies=NODES)
        # A node that lags would tell a client that there are no partitions.
        for port in self.ports():
            await_that(lambda port=port: wire.partitions(port, name)
                       == partitions, f"{name} known to every node")

    def listing(self, topic):
        from ends import kcat
        return kcat(self["WEIR_KAFKA"], "-L", "-t", topic).decode()

    def leader(self, topic, partition):
        found = re.search(rf"partition {partition}, leader (\d+)",
                          self.listing(topic))
        return int(found[1])

    def await_in_sync(self, topic):
        """All nodes have all of it, so that the next may go."""
        def is_in_sync():
            isrs = re.findall(r"isrs: ([\d,]+)", self.listing(topic))
            return bool(isrs) and all(len(one.split(",")) == NODES
                                      for one in isrs)
        await_that(is_in_sync, f"all nodes in sync for {topic}")

    def coordinator(self, group):
        for port in self.ports():
            try:
                reader = wire.call(port, FIND_COORDINATOR, wire.text(group))
            except OSError:
                continue
            error, number = struct.unpack_from(">hi", reader.data, reader.at)
            if error == 0:
                return number
        raise OSError("no node knows the coordinator")
