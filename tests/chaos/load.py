"""Numbered messages into a topic or a queue, at a rate, none given up.

Whatever happens to the broker meanwhile: `finish()` returns when it has confirmed
each of them.
"""
import subprocess
import threading
import time

from harness import expect
from nodes.process import die_with_parent

TICK_S = 0.01
FINISH_S = 120
SURE = ("acks=all", "enable.idempotence=true", "message.timeout.ms=240000",
        "reconnect.backoff.max.ms=500", "linger.ms=2", "socket.timeout.ms=6000")


class Load:
    """A thread that calls `put(number)` at a rate, and `flush()` in between."""

    def __init__(self, rate):
        self.rate, self.next, self.error = rate, 0, None
        self.is_held = False
        self.is_ending = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def run(self):
        begun = time.monotonic()
        try:
            while not self.is_ending.wait(TICK_S):
                due = int((time.monotonic() - begun) * self.rate)
                while self.next < due and not self.is_held \
                        and not self.is_ending.is_set():
                    self.put(self.next)
                    self.next += 1
                self.flush()
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def hold(self):
        self.is_held = True

    def go(self):
        self.is_held = False

    def is_confirmed(self):
        """Not known of kcat; what it has comes to the broker soon."""
        return self.is_held

    def stop(self):
        self.is_ending.set()
        self.thread.join(FINISH_S)
        expect(not self.thread.is_alive(), "the load doesn't end")
        expect(self.error is None, f"the load failed: {self.error!r}")


def payload(number):
    return b"%08d" % number


class KafkaLoad(Load):
    """One kcat for each partition, which it is told; number n goes to n % count."""

    def __init__(self, brokers, topic, partitions, keys, rate):
        super().__init__(rate)
        self.partitions, self.keys = partitions, keys
        options = [word for pair in SURE for word in ("-X", pair)]
        self.feeds = [subprocess.Popen(
            ["kcat", "-q", "-E", "-b", brokers, "-P", "-t", topic, "-K:", "-p",
             str(index), *options], stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL, preexec_fn=die_with_parent)
            for index in range(partitions)]

    def key(self, number):
        return number // self.partitions % self.keys

    def put(self, number):
        self.feeds[number % self.partitions].stdin.write(
            b"k%d:%s\n" % (self.key(number), payload(number)))

    def flush(self):
        for feed in self.feeds:
            feed.stdin.flush()

    def finish(self):
        self.stop()
        for feed in self.feeds:
            feed.stdin.close()
        deadline = time.monotonic() + FINISH_S
        for feed in self.feeds:
            code = feed.wait(max(deadline - time.monotonic(), 1))
            expect(code == 0, f"the load's kcat ended with {code}")

    def end(self):
        self.is_ending.set()
        for feed in self.feeds:
            feed.kill()
            feed.wait()


class AmqpLoad:
    """Publishes with confirms, `window` at once; what a cut connection left
    unconfirmed is published again, in its order."""

    def __init__(self, url, queue, keys, rate, window=256):
        self.url, self.queue, self.keys = url, queue, keys
        self.rate, self.window = rate, window
        self.next, self.tag = 0, 0
        self.open, self.again, self.doubtful = {}, [], set()
        self.begun = self.channel = None
        self.is_held = False
        self.is_ending, self.is_over = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def key(self, number):
        return number % self.keys

    def start(self):
        self.begun = time.monotonic()
        self.thread.start()
        return self

    def run(self):
        import pika
        parameters = pika.URLParameters(self.url)
        parameters.socket_timeout, parameters.stack_timeout = 3, 5
        parameters.heartbeat = 4
        while not self.is_over.is_set():
            connection = pika.SelectConnection(
                parameters, on_open_callback=self.opened,
                on_open_error_callback=lambda it, _: it.ioloop.stop(),
                on_close_callback=lambda it, _: it.ioloop.stop())
            connection.ioloop.start()
            self.doubtful.update(self.open.values())
            self.again = sorted(set(self.again) | set(self.open.values()))
            self.open, self.channel = {}, None
            self.is_over.wait(0.1)

    def opened(self, connection):
        connection.channel(on_open_callback=lambda channel:
                           channel.confirm_delivery(
                               self.confirmed,
                               callback=lambda _: self.ready(channel)))

    def ready(self, channel):
        self.channel, self.tag = channel, 0
        channel.add_on_close_callback(
            lambda it, _: it.connection.is_open and it.connection.close())
        self.tick(channel)

    def tick(self, channel):
        if self.channel is not channel or not channel.is_open:
            return
        due = int((time.monotonic() - self.begun) * self.rate)
        while len(self.open) < self.window and (
                self.again or (self.next < due and not self.is_held and
                               not self.is_ending.is_set())):
            self.publish(channel)
        if self.is_ending.is_set() and not self.open and not self.again:
            self.is_over.set()
            channel.connection.close()
            return
        channel.connection.ioloop.call_later(
            TICK_S, lambda: self.tick(channel))

    def publish(self, channel):
        import pika
        if self.again:
            number = self.again.pop(0)
        else:
            number, self.next = self.next, self.next + 1
        self.tag += 1
        self.open[self.tag] = number
        channel.basic_publish(
            "", self.queue, payload(number), pika.BasicProperties(
                delivery_mode=2, headers={"key": f"k{self.key(number)}"}))

    def confirmed(self, frame):
        import pika
        method = frame.method
        tags = [method.delivery_tag]
        if method.multiple:
            tags = [tag for tag in self.open if tag <= method.delivery_tag]
        for tag in tags:
            number = self.open.pop(tag, None)
            if isinstance(method, pika.spec.Basic.Nack) and number is not None:
                self.doubtful.add(number)  # it comes behind later ones
                self.again.append(number)

    def hold(self):
        self.is_held = True

    def go(self):
        self.is_held = False

    def is_confirmed(self):
        return self.is_held and not self.open and not self.again

    def stop(self):
        self.is_ending.set()

    def finish(self):
        self.stop()
        expect(self.is_over.wait(FINISH_S), f"{len(self.open)} messages are "
               "still not confirmed to the load")
        self.thread.join(FINISH_S)

    def end(self):
        self.stop()
        self.is_over.set()
