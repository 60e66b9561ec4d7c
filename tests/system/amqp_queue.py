"""A RabbitMQ queue of the test's own, through pika."""
import contextlib
import uuid

import harness
from harness import await_that


@contextlib.contextmanager
def channel_to(url):
    import pika
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        yield connection.channel()
    finally:
        if connection.is_open:
            connection.close()


class Queue:
    def __init__(self, url, kind="classic", **arguments):
        self.url, self.kind = url, kind
        self.name = f"queue-{uuid.uuid4().hex[:12]}"
        self.arguments = {"x-queue-type": kind, **{
            name.replace("_", "-"): value for name, value in arguments.items()}}

    def producer(self, **members):
        """What `producer:` says of it."""
        keys = {"url": f"'{self.url}'", "queue": self.name, **members}
        return "amqp: { " + ", ".join(
            f"{key}: {value}" for key, value in keys.items()) + \
            " }\n  max_message_bytes: 16KiB"

    def declare(self):
        with channel_to(self.url) as channel:
            channel.queue_declare(self.name, durable=True,
                                  arguments=self.arguments)
        return self

    def delete(self):
        with channel_to(self.url) as channel:
            channel.queue_delete(self.name)

    def put(self, bodies, **properties):
        """Returns when the broker confirmed each."""
        import pika
        persistent = pika.BasicProperties(delivery_mode=2, **properties)
        with channel_to(self.url) as channel:
            channel.confirm_delivery()
            for body in bodies:
                channel.basic_publish("", self.name, body, persistent)

    def state(self):
        """(ready, consumers)"""
        with channel_to(self.url) as channel:
            method = channel.queue_declare(self.name, passive=True).method
            return method.message_count, method.consumer_count

    def await_ready(self, count):
        """So many are ready, and no consumer holds any."""
        await_that(lambda: self.state() == (count, 0),
                   f"{count} messages in {self.name}, and no consumer")

    def take_all(self, count):
        """(body, properties) of each of `count` messages, which are gone then."""
        self.await_ready(count)
        with channel_to(self.url) as channel:
            taken = [channel.basic_get(self.name, auto_ack=True)
                     for _ in range(count)]
        return [(body, properties) for _, properties, body in taken]


def unsettled(node):
    """name: (ready, unacknowledged), as the broker counts them itself."""
    said = node.tool("list_queues", "--no-table-headers", "name",
                     "messages_ready", "messages_unacknowledged")
    rows = [line.split() for line in said.splitlines()]
    return {row[0]: (int(row[1]), int(row[2])) for row in rows if len(row) == 3}


def await_nothing_left(node, queues):
    """Quorum queues tell their counts every few seconds."""
    wanted = {queue.name: (0, 0) for queue in queues}

    def is_empty():
        counts = unsettled(node)
        return {name: counts.get(name) for name in wanted} == wanted
    await_that(is_empty, "nothing ready and nothing unacknowledged")


def burst():
    return 100 if harness.is_small() else 500
