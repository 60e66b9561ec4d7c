"""Brokers of the suite's own, which it may kill, freeze and restart."""
import own_node


class Node(own_node.OwnNode):
    """Started whether or not the environment has brokers."""

    def __init__(self, kind, *options):  # pylint: disable=super-init-not-called
        self.kind, self.options = kind, options
        self.folder, self.variables = None, {}
