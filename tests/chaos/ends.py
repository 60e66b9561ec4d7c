"""Where messages come from and where they go, as the checker needs to know it.

A source says what the broker has (`sent`), what it still has (`left` or
`commits`) and whether all of it was settled.  A destination gives back, line by
line, what came out.
"""
import collections
import os
import re
import subprocess

import commits
from amqp_queue import Queue, channel_to
from checker import Sent
from harness import Failed, expect
from load import AmqpLoad, KafkaLoad
from topic import new_name

LINE = re.compile(rb"(\d{8}) (\S+) (first|again) \.")
READ_S, ASK_S = 120, 2


def parsed(line):
    """(owner, number, whether it came again); a torn line is its own number."""
    match = LINE.fullmatch(line)
    if not match:
        return "?", line[:60], False
    return match[2].decode(), int(match[1]), match[3] == b"again"


def kcat(brokers, *words):
    """Its output; it finds the leaders by itself."""
    return subprocess.run(["kcat", "-q", "-b", brokers, *words], check=True,
                          stderr=subprocess.PIPE, stdout=subprocess.PIPE,
                          timeout=READ_S).stdout


def read_topic(brokers, topic, form):
    return kcat(brokers, "-C", "-t", topic, "-e", "-o", "beginning", "-f",
                form).splitlines()


def ends_of(brokers, topic, partitions):
    """partition: the offset that comes next"""
    asked = [word for partition in partitions
             for word in ("-t", f"{topic}:{partition}:-1")]
    found = re.findall(rb"\[(\d+)\] offset (\d+)",
                       kcat(brokers, "-Q", *asked))
    return {int(partition): int(offset) for partition, offset in found}


class KafkaSource:
    kind, window, keys = "kafka", 1000, 8
    partitions = range(4)

    def __init__(self, site, ordering="none", **more):
        del ordering  # any number of members may share a topic
        self.topic = new_name("in")
        site.create_topic(self.topic, len(self.partitions))
        self.brokers, self.place = site.brokers(), site.kafka_place()
        self.keys_of_producer = more.get("keys", {})
        self.properties = more.get("properties", {})

    def producer(self):
        properties = {"session.timeout.ms": 6000, "heartbeat.interval.ms": 500,
                      "reconnect.backoff.max.ms": 500, **self.properties}
        text = ", ".join(f"{key}: {value}" for key, value in properties.items())
        keys = {"brokers": f"'{self.place}'",
                "group": self.topic, "topics": f"[{self.topic}]",
                "max_uncommitted": self.window, "properties": f"{{ {text} }}",
                **self.keys_of_producer}
        return "kafka: { " + ", ".join(f"{key}: {value}" for key, value
                                       in keys.items()) + " }"

    def load(self, rate):
        return KafkaLoad(self.brokers, self.topic, len(self.partitions),
                         self.keys, rate)

    def lane(self, number):
        """The partition of a message, before anybody asks the broker."""
        return number % len(self.partitions)

    def is_done(self):
        try:
            ends = ends_of(self.brokers, self.topic, self.partitions)
            return dict(self.commits()) == {
                partition: end for partition, end in ends.items() if end > 0}
        except subprocess.SubprocessError:
            return False

    def sent(self, load):
        """As the broker has it; also shows that it has all."""
        del load
        places, doubtful = {}, set()
        for line in read_topic(self.brokers, self.topic, "%p %o %k %s\n"):
            partition, offset, key, number = line.split()
            if int(number) in places:
                doubtful.add(int(number))
            places[int(number)] = int(partition), int(offset), key.decode()
        return Sent(places, doubtful)

    def left(self):
        return None

    def commits(self):
        return commits.read(self.brokers, self.topic, self.topic)

    def window_of(self, moves, batch):
        return moves * (self.window + batch)

    def allowed(self, moves, batch):
        return {partition: self.window_of(moves, batch)
                for partition in self.partitions}


# Ready and unacknowledged, by the queue's leader; what list_queues says is seconds
# old.  Where nobody leads it fails.
TOTAL = """[begin {{ok, {{_, N}}, _}} = ra:leader_query(amqqueue:get_pid(Q),
fun rabbit_fifo:query_messages_total/1), N end || Q <- rabbit_amqqueue:list(),
element(4, amqqueue:get_name(Q)) =:= <<"{}">>]."""


class QuorumQueue(Queue):
    """Acknowledgements of a classic queue are not on its disk at once: after a
    kill of its node it repeats them all."""

    def __init__(self, url, **arguments):
        super().__init__(url, "quorum", **arguments)

    def count(self):
        """How many are ready; None when the broker doesn't say so soon."""
        import pika
        parameters = pika.URLParameters(self.url)
        parameters.socket_timeout = parameters.stack_timeout = ASK_S
        parameters.blocked_connection_timeout = ASK_S
        try:
            connection = pika.BlockingConnection(parameters)
            connection.call_later(ASK_S, lambda: expect(False, "no answer"))
            found = connection.channel().queue_declare(self.name, passive=True)
            connection.close()
            return found.method.message_count
        except Exception:  # pylint: disable=broad-except
            return None  # pika's errors have no class in common

    def drain(self):
        """The bodies of all that is ready, which is gone then."""
        found, count = [], self.state()[0]
        with channel_to(self.url) as channel:
            channel.basic_qos(prefetch_count=1000)
            for method, _, body in () if count == 0 else channel.consume(
                    self.name, inactivity_timeout=READ_S):
                if method is None:
                    break
                found.append(body)
                if len(found) % 500 == 0 or len(found) == count:
                    channel.basic_ack(method.delivery_tag, multiple=True)
                if len(found) == count:
                    break
            channel.cancel()
        return found


# Order needs the queue's only consumer.  A quorum queue takes any number of
# consumers that want to be exclusive, so there it is single active consumer.
SINGLE_ACTIVE = {"x_single_active_consumer": True}
DECLARE = ("{ type: quorum, arguments: { x-single-active-consumer: true } }")


class AmqpSource:
    kind, window, keys = "amqp", 200, 8
    partitions = range(1)

    def __init__(self, site, ordering="none", **more):
        is_ordered = ordering != "none"
        self.queue = QuorumQueue(
            site.url(), **SINGLE_ACTIVE if is_ordered else {}).declare()
        self.place = site.amqp_place("source")
        self.members = {**({"declare": DECLARE} if is_ordered else {}),
                        **more.get("keys", {})}
        self.site = site

    def producer(self):
        where = Queue(self.place)
        where.name = self.queue.name
        return where.producer(prefetch=self.window, heartbeat="2s",
                              **self.members)

    def load(self, rate):
        return AmqpLoad(self.queue.url, self.queue.name, self.keys, rate)

    def lane(self, number):
        del number
        return 0

    def is_done(self):
        try:
            return self.queue.count() == 0 and "[0]" in self.site.amqp(
                ).tool("eval", TOTAL.format(self.queue.name))
        except Failed:
            return False

    def sent(self, load):
        places = {number: (0, number, load.key(number))
                  for number in range(load.next)}
        return Sent(places, load.doubtful,
                    set(load.open.values()) | set(load.again))

    def left(self):
        return set(map(int, self.queue.drain()))

    def commits(self):
        return None

    def window_of(self, moves, batch):
        return moves * (self.window + batch)

    def allowed(self, moves, batch):
        return {0: self.window_of(moves, batch)}


class FileEnd:
    """One file for each member."""
    kind = "file"

    @staticmethod
    def lanes(source):
        """In how many lanes it counts."""
        return len(source.partitions)

    def __init__(self, folder, lane_of):
        self.folder, self.names, self.lane_of = folder, [], lane_of
        self.read, self.lines = {}, collections.Counter()

    def sink(self, name):
        self.names.append(name)
        return f"file: {{ path: {self.path(name)}, fsync: never }}"

    def path(self, name):
        return f"{self.folder}/{name}.out"

    def count(self):
        """Whole lines so far, by lane; a torn one is cut off before more come."""
        for name in self.names:
            try:
                with open(self.path(name), "rb") as file:
                    file.seek(self.read.get(name, 0))
                    new = file.read()
            except OSError:
                continue
            whole = new.rfind(b"\n") + 1
            self.read[name] = self.read.get(name, 0) + whole
            self.lines.update(self.lane_of(int(line[:8])) for line in
                              new[:whole].splitlines() if line[:8].isdigit())
        return dict(self.lines)

    def delivered(self):
        found = []
        for name in self.names:
            if not os.path.exists(self.path(name)):
                continue
            with open(self.path(name), "rb") as file:
                found += map(parsed, file.read().splitlines())
        return found


class KafkaEnd:
    """One partition, so that its order is the order of what was delivered."""
    kind = "kafka"

    @staticmethod
    def lanes(source):
        del source
        return 1

    def __init__(self, site):
        self.topic = new_name("out")
        site.create_topic(self.topic, 1)
        self.brokers, self.place = site.brokers(), site.kafka_place()

    def sink(self, name):
        del name
        return f"kafka: {{ brokers: '{self.place}', topic: {self.topic} }}"

    def count(self):
        try:
            return ends_of(self.brokers, self.topic, (0,))
        except subprocess.SubprocessError:
            return None

    def delivered(self):
        return list(map(parsed, read_topic(self.brokers, self.topic, "%s\n")))


class AmqpEnd:
    """Read only while nothing is on its way, so that only weir can repeat
    anything; read now and then, since a node that comes back reads all that a
    quorum queue has had since its oldest message."""
    kind = "amqp"

    @staticmethod
    def lanes(source):
        del source
        return 1

    def __init__(self, site):
        self.queue = QuorumQueue(site.url()).declare()
        self.place, self.found = site.amqp_place("end"), []

    def sink(self, name):
        del name
        return (f"amqp: {{ url: '{self.place}', "
                f"routing_key: {self.queue.name} }}")

    def count(self):
        count = self.queue.count()
        return None if count is None else {0: len(self.found) + count}

    def collect(self):
        self.found += map(parsed, self.queue.drain())

    def delivered(self):
        self.collect()
        return self.found
