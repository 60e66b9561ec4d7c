"""weir in a network of its own, which the kernel cuts, slows, and silences.

    namespace of weir                         namespace between
    192.0.2.2 (va) ------ a pair of ------ (vb) 192.0.2.1 : proxy ---> broker
                       virtual links                            loopback, outside

`cut`, `stall`, `slow`, `refuse` and `open` are those of a proxy, for all connections
at once: sockets destroyed, the link down, a token bucket, a packet filter.

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


def inside(name, *words):
    ip("netns", "exec", name, *words)


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

    def cut(self):
        inside(self.inner, "ss", "-K", "dst", HERE)

    def stall(self):
        ip("-n", self.between, "link", "set", "vb", "down")

    def slow(self, rate):
        for name, device in (self.inner, "va"), (self.between, "vb"):
            inside(name, "tc", "qdisc", "replace", "dev", device, "root",
                   "tbf", "rate", f"{8 * rate}bit", "burst", "4kb", "latency",
                   "400ms")

    def refuse(self):
        inside(self.between, "iptables", "-I", "INPUT", "-p", "tcp", "-j",
               "REJECT", "--reject-with", "tcp-reset")
        self.cut()

    def open(self):
        ip("-n", self.between, "link", "set", "vb", "up")
        inside(self.between, "iptables", "-F", "INPUT")
        for name, device in (self.inner, "va"), (self.between, "vb"):
            inside(name, "tc", "qdisc", "replace", "dev", device, "root",
                   "pfifo")

    def listen(self, port):
        return made_in(self.between, lambda: socket.create_server(
            (HERE, port), backlog=BACKLOG))

    def connect(self, port, timeout_s):
        """A connection of what is inside, as weir's are."""
        return made_in(self.inner, lambda: socket.create_connection(
            (HERE, port), timeout=timeout_s))


def made_in(name, make):
    """A socket stays where it was made; a thread of its own goes there for it."""
    found = []

    def go():
        try:
            with open(f"/run/netns/{name}", "rb") as file:
                if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            found.append(make())
        except OSError as error:
            found.append(error)
    thread = threading.Thread(target=go)
    thread.start()
    thread.join()
    if isinstance(found[0], OSError):
        raise found[0]
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
