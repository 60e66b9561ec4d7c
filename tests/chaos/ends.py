"""Where messages come from and where they go, as the checker needs to know it.

A source says what the broker has (`sent`), what it still has (`left` or
`commits`) and whether all of it was settled.  A destination gives back, line by
line, what came out.
"""
import re
import subprocess

from amqp_queue import Queue, channel_to
from checker import Sent
import commits
from load import AmqpLoad, KafkaLoad
from topic import Topic

LINE = re.compile(rb"(\d{8}) (\S+) (first|again) \.")
READ_S = 120


def parsed(line):
    """(owner, number, whether it came again); a torn line is its own number."""
    match = LINE.fullmatch(line)
    if not match:
        return "?", line[:60], False
    return match[2].decode(), int(match[1]), match[3] == b"again"


class KafkaSource:
    kind, window = "kafka", 1000

    def __init__(self, node, partitions=4, keys=8, place=None, **more):
        """`place`: where weir finds it, if not where the load does."""
        self.topic = Topic(node["WEIR_KAFKA"].split(",")[0], partitions)
        self.topic.create()
        self.brokers, self.place = node["WEIR_KAFKA"], place
        self.keys, self.more = keys, more
        self.partitions = range(partitions)

    def producer(self):
        properties = {"session.timeout.ms": 6000, "heartbeat.interval.ms": 500,
                      "reconnect.backoff.max.ms": 500,
                      **self.more.get("properties", {})}
        text = ", ".join(f"{key}: {value}" for key, value in properties.items())
        keys = {"brokers": f"'{self.place or self.brokers}'",
                "group": self.topic.name, "topics": f"[{self.topic.name}]",
                "max_uncommitted": self.window, "properties": f"{{ {text} }}",
                **self.more.get("keys", {})}
        return "kafka: { " + ", ".join(f"{key}: {value}" for key, value
                                       in keys.items()) + " }"

    def load(self, rate):
        return KafkaLoad(self.brokers, self.topic.name, self.topic.partitions,
                         self.keys, rate)

    def is_done(self):
        try:
            return self.topic.committed() == self.topic.ends()
        except (OSError, ValueError):
            return False

    def sent(self, load):
        """As the broker has it; also shows that it has all."""
        del load
        said = subprocess.run(
            ["kcat", "-q", "-b", self.brokers, "-C", "-t", self.topic.name,
             "-e", "-o", "beginning", "-f", "%p %o %k %s\n"], check=True,
            capture_output=True, text=True, timeout=READ_S).stdout
        places, doubtful = {}, set()
        for line in said.splitlines():
            partition, offset, key, number = line.split()
            if int(number) in places:
                doubtful.add(int(number))
            places[int(number)] = int(partition), int(offset), key
        return Sent(places, doubtful)

    def left(self):
        return None

    def commits(self):
        return commits.read(self.brokers, self.topic.name, self.topic.name)

    def allowed(self, moves, batches):
        return {partition: moves * (self.window + batches)
                for partition in self.partitions}


class AmqpSource:
    kind, window = "amqp", 200

    def __init__(self, node, keys=8, place=None, **more):
        # Acknowledgements of a classic queue are not on its disk at once.
        self.queue = Queue(node["WEIR_AMQP"], "quorum").declare()
        self.place, self.keys, self.more = place, keys, more

    def producer(self):
        where = Queue(self.place or self.queue.url)
        where.name = self.queue.name
        return where.producer(prefetch=self.window, heartbeat="2s",
                              **self.more.get("keys", {}))

    def load(self, rate):
        return AmqpLoad(self.queue.url, self.queue.name, self.keys, rate)

    def is_done(self):
        from pika.exceptions import AMQPError
        try:
            return self.queue.state()[0] == 0
        except (AMQPError, OSError):
            return False

    def sent(self, load):
        places = {number: (0, number, load.key(number))
                  for number in range(load.next)}
        return Sent(places, load.doubtful)

    def left(self):
        ready, _ = self.queue.state()
        with channel_to(self.queue.url) as channel:
            return {int(channel.basic_get(self.queue.name, auto_ack=True)[2])
                    for _ in range(ready)}

    def commits(self):
        return None

    def allowed(self, moves, batches):
        return {0: moves * (self.window + batches)}


class FileEnd:
    """One file for each member."""
    kind = "file"

    def __init__(self, folder):
        self.folder, self.names = folder, []
        self.read, self.lines = {}, 0

    def sink(self, name):
        self.names.append(name)
        return f"file: {{ path: {self.path(name)}, fsync: never }}"

    def path(self, name):
        return f"{self.folder}/{name}.out"

    def count(self):
        """Whole lines so far; a torn one is cut off before more are added."""
        for name in self.names:
            try:
                with open(self.path(name), "rb") as file:
                    file.seek(self.read.get(name, 0))
                    new = file.read()
            except OSError:
                continue
            whole = new.rfind(b"\n") + 1
            self.read[name] = self.read.get(name, 0) + whole
            self.lines += new.count(b"\n", 0, whole)
        return self.lines

    def delivered(self):
        found = []
        for name in self.names:
            with open(self.path(name), "rb") as file:
                found += map(parsed, file.read().splitlines())
        return found


class KafkaEnd:
    """One partition, so that its order is the order of what was delivered."""
    kind = "kafka"

    def __init__(self, node, place=None):
        self.topic = Topic(node["WEIR_KAFKA"].split(",")[0], 1).create()
        self.brokers, self.place = node["WEIR_KAFKA"], place

    def sink(self, name):
        del name
        return (f"kafka: {{ brokers: '{self.place or self.brokers}', "
                f"topic: {self.topic.name} }}")

    def count(self):
        try:
            return self.topic.ends()[0]
        except (OSError, ValueError):
            return None

    def delivered(self):
        said = subprocess.run(
            ["kcat", "-q", "-b", self.brokers, "-C", "-t", self.topic.name,
             "-e", "-o", "beginning", "-f", "%s\n"], check=True,
            capture_output=True, timeout=READ_S).stdout
        return list(map(parsed, said.splitlines()))


class AmqpEnd:
    """Nobody reads it before the end, so that only weir can repeat anything."""
    kind = "amqp"

    def __init__(self, node, place=None):
        self.queue = Queue(node["WEIR_AMQP"], "quorum").declare()
        self.place = place

    def sink(self, name):
        del name
        return (f"amqp: {{ url: '{self.place or self.queue.url}', "
                f"routing_key: {self.queue.name} }}")

    def count(self):
        from pika.exceptions import AMQPError
        try:
            return self.queue.state()[0]
        except (AMQPError, OSError):
            return None

    def delivered(self):
        found, count = [], self.count()
        with channel_to(self.queue.url) as channel:
            channel.basic_qos(prefetch_count=1000)
            for method, _, body in channel.consume(
                    self.queue.name, inactivity_timeout=READ_S):
                if method is None:
                    break
                found.append(parsed(body))
                if len(found) % 500 == 0 or len(found) == count:
                    channel.basic_ack(method.delivery_tag, multiple=True)
                if len(found) == count:
                    break
            channel.cancel()
        return found


