"""The few Kafka requests that a test needs often: a JVM per call takes seconds.

Versions are chosen so that Kafka 3.9 and 4.x both still speak them.
"""
import socket
import struct
import time

from .process import Failure

METADATA, CREATE_TOPICS = (3, 4), (19, 2)
CREATE_ACLS, DELETE_ACLS = (30, 1), (31, 1)
KINDS, OPERATIONS = {"topic": 2, "group": 3}, {
    "read": 3, "write": 4, "describe": 8}
LITERAL, ALLOW = 3, 3
ERROR_NONE, ERROR_TOPIC_EXISTS = 0, 36
# No leader yet, not the leader, timed out, fewer brokers than copies, ...
TRANSIENT = (5, 6, 7, 38, 41)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self, form):
        value, = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return value

    def text(self):
        size = self.number("h")
        self.at += max(size, 0)
        return self.data[self.at - size:self.at].decode() if size > 0 else ""

    def array(self, read):
        return [read() for _ in range(max(self.number("i"), 0))]


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


def receive(sock, size):
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            raise ConnectionError("closed by the broker")
        data += part
    return data


def call(port, api, body, timeout_s=5):
    header = struct.pack(">hhi", api[0], api[1], 1) + text("weir-test")
    with socket.create_connection(("127.0.0.1", port), timeout_s) as sock:
        sock.settimeout(timeout_s)
        sock.sendall(struct.pack(">i", len(header) + len(body)) + header + body)
        size, = struct.unpack(">i", receive(sock, 4))
        reader = Reader(receive(sock, size))
    reader.number("i")
    return reader


def partitions(port, topic=None, timeout_s=5):
    """How many of the topic's partitions have a leader; None: not there."""
    names = [topic] if topic else []
    body = struct.pack(">i", len(names)) + b"".join(map(text, names)) + b"\0"
    reader = call(port, METADATA, body, timeout_s)

    def broker():
        return (reader.number("i"), reader.text(), reader.number("i"),
                reader.text())

    def partition():
        error, _, leader = (reader.number(form) for form in "hii")
        for _ in range(2):
            reader.array(lambda: reader.number("i"))
        return error == ERROR_NONE and leader >= 0

    def one_topic():
        error, _, _ = reader.number("h"), reader.text(), reader.number("b")
        ready = reader.array(partition)
        return sum(ready) if error == ERROR_NONE else None

    reader.number("i")  # throttle time
    brokers = reader.array(broker)
    reader.text()  # cluster id
    reader.number("i")  # controller
    topics = reader.array(one_topic)
    if not brokers:
        return None
    return topics[0] if topic else 0


def create_topic(port, topic, count, settings=(), timeout_s=60, copies=1):
    """Creates the topic and waits until each partition has a leader."""
    pairs = [pair.split("=", 1) for pair in settings]
    body = struct.pack(">i", 1) + text(topic) + struct.pack(">ihi", count, copies, 0)
    body += struct.pack(">i", len(pairs))
    body += b"".join(text(key) + text(value) for key, value in pairs)
    body += struct.pack(">ib", 10000, 0)
    deadline = time.monotonic() + timeout_s
    while True:
        reader = call(port, CREATE_TOPICS, body, timeout_s)
        reader.number("i")
        (error, why), = reader.array(
            lambda: (reader.text(), (reader.number("h"), reader.text()))[1])
        if error not in TRANSIENT or time.monotonic() >= deadline:
            break
        time.sleep(0.1)
    if error not in (ERROR_NONE, ERROR_TOPIC_EXISTS):
        raise Failure(f"topic {topic}: {why or f'error {error}'}")
    while partitions(port, topic) != count:
        if time.monotonic() >= deadline:
            raise Failure(f"topic {topic}: partitions still have no leader, or "
                          f"it was there with another number than {count}")
        time.sleep(0.02)


def change_acl(port, api, user, operation, kind, name):
    body = struct.pack(">ib", 1, KINDS[kind]) + text(name)
    body += struct.pack(">b", LITERAL) + text(f"User:{user}") + text("*")
    body += struct.pack(">bb", OPERATIONS[operation], ALLOW)
    reader = call(port, api, body, 30)
    reader.number("i")  # throttle time
    reader.number("i")  # one answer, as asked for
    error, why = reader.number("h"), reader.text()
    if error != ERROR_NONE:
        raise Failure(f"{operation} of {kind} {name}: {why or f'error {error}'}")


def allow(port, *rule):
    """rule: user, operation, kind, name"""
    change_acl(port, CREATE_ACLS, *rule)


def forbid(port, *rule):
    change_acl(port, DELETE_ACLS, *rule)
