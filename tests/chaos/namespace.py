"""weir in a network of its own, whose one link can go down without a word.

    namespace of weir                         namespace between
    192.0.2.2 (va) ------ a pair of ------ (vb) 192.0.2.1 : proxy ---> broker
                       virtual links                            loopback, outside

Nothing is routed: a packet has nowhere else to go.  The proxy is in this process;
only its listening socket is in the namespace between.
"""
import ctypes
import os
import socket
import subprocess
import threading

from place import Place

CLONE_NEWNET = 0x40000000
HERE, THERE, BACKLOG = "192.0.2.1", "192.0.2.2", 100
libc = ctypes.CDLL(None, use_errno=True)


def ip(*words):
    subprocess.run(["ip", *words], check=True, timeout=30,
                   capture_output=True)


class Namespace:
    def __init__(self):
        self.inner = f"weir-chaos-{os.getpid()}-{id(self) % 10000}-in"
        self.between = f"weir-chaos-{os.getpid()}-{id(self) % 10000}-between"

    def __enter__(self):
        for name in (self.inner, self.between):
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("link", "add", "va", "netns", self.inner, "type", "veth", "peer",
           "name", "vb", "netns", self.between)
        for name, device, address in ((self.inner, "va", THERE),
                                      (self.between, "vb", HERE)):
            ip("-n", name, "addr", "add", f"{address}/30", "dev", device)
            ip("-n", name, "link", "set", device, "up")
        return self

    def __exit__(self, kind, error, trace):
        for name in (self.inner, self.between):
            ip("netns", "delete", name)

    def link(self, state):
        ip("-n", self.between, "link", "set", "vb", state)

    def listen(self, port):
        """A socket that lives between; a thread of its own goes there for it."""
        found = []

        def make():
            with open(f"/run/netns/{self.between}", "rb") as file:
                if libc.setns(file.fileno(), CLONE_NEWNET) == 0:
                    found.append(socket.create_server(
                        (HERE, port), backlog=BACKLOG))
        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        return found[0]


class NamespacePlace(Place):
    """Brokers as elsewhere, each told to its client by the proxy's address."""
    host = HERE

    def __init__(self, stack, loop):
        super().__init__(stack, loop)
        self.namespace = stack.enter_context(Namespace())

    def listener(self, port):
        return self.namespace.listen(port)

    def around(self):
        return ["ip", "netns", "exec", self.namespace.inner]
