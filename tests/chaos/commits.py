"""Every commit of a group, in order, from the topic where Kafka keeps them.

Asking for the group's offset now and then would miss what goes back between two
questions.  The topic is compacted, but not before its segment is full.
"""
import struct
import subprocess

TIMEOUT_S = 60


def records(data):
    """(key, value) of `SIZE SIZE KEYVALUE` newline; a size of -1 is absent."""
    at = 0
    while at < len(data):
        space = data.index(b" ", at)
        second = data.index(b" ", space + 1)
        sizes = int(data[at:space]), int(data[space + 1:second])
        at = second + 1
        parts = []
        for size in sizes:
            parts.append(data[at:at + size] if size >= 0 else None)
            at += max(size, 0)
        at += 1
        yield parts


def text(data, at):
    size, = struct.unpack_from(">h", data, at)
    return data[at + 2:at + 2 + size].decode(), at + 2 + size


def decode(key, value):
    """(group, topic, partition, offset), or None for what is no commit."""
    if key is None or value is None or struct.unpack_from(">h", key)[0] > 1:
        return None
    group, at = text(key, 2)
    topic, at = text(key, at)
    partition, = struct.unpack_from(">i", key, at)
    offset, = struct.unpack_from(">q", value, 2)
    return group, topic, partition, offset


def read(brokers, group, topic):
    """(partition, offset) of each commit, in the order they were made."""
    data = subprocess.run(
        ["kcat", "-q", "-b", brokers, "-C", "-t", "__consumer_offsets", "-e",
         "-o", "beginning", "-f", "%K %S %k%s\n"], check=True,
        capture_output=True, timeout=TIMEOUT_S).stdout
    found = (decode(*record) for record in records(data))
    return [one[2:] for one in found if one and one[:2] == (group, topic)]
