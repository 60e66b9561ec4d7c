"""What a RabbitMQ does to its consumers beside going away; all of it is survived.

A consumer that is given up because its handler is slow, a queue that has another
consumer, and a broker whose place another one takes.
"""
import contextlib
import os

import harness
from amqp_queue import Queue, await_nothing_left, burst, unsettled
from harness import await_that, expect, expect_equal
from live import Live, expect_each, lines_of, topology, witness
from own_node import OwnNode


class Consumer:
    """One weir on `queue`, with a file of its own."""

    def __init__(self, queue, folder, name, amqp=None, **values):
        self.out = f"{folder}/{name}.out"
        self.live = Live(topology(
            folder, queue.producer(heartbeat="2s", **(amqp or {})), name=name,
            sink=f"{{ file: {{ path: {self.out}, fsync: never }} }}",
            **values))

    def lines(self):
        return lines_of(self.out)


def numbers(first, count):
    return [f"{number:06d}" for number in range(first, first + count)]


def put(queue, wanted):
    queue.put(text.encode() for text in wanted)


def consumer_timeout(kind):
    """The handler is slower than the broker's consumer_timeout."""
    with OwnNode("rabbitmq") as node, harness.scratch() as folder:
        for name, milliseconds in (("consumer_timeout", 3000),
                                   ("channel_tick_interval", 1000)):
            node.tool("eval", f"application:set_env(rabbit, {name}, "
                              f"{milliseconds}).")
        queue = Queue(node["WEIR_AMQP"], kind).declare()
        gate = f"{folder}/gate"
        open(gate, "w", encoding="utf-8").close()
        consumer = Consumer(queue, folder, "slow",
                            handler=witness(folder, gate=gate))
        with consumer.live:
            put(queue, numbers(0, 50))
            consumer.live.await_log("consumer_timeout")
            os.remove(gate)
            await_that(lambda: set(consumer.lines()) >= set(numbers(0, 50)),
                       "every message in the file")
            put(queue, numbers(50, 50))
            await_that(lambda: set(consumer.lines()) >= set(numbers(0, 100)),
                       "what came later in the file")
            await_nothing_left(node, [queue])
            consumer.live.expect_end(0)
            expect_each(consumer.lines(), numbers(0, 100), "messages")


def failover():
    """The broker dies, and the next of the URLs has the queue, too."""
    with OwnNode("rabbitmq") as first, OwnNode("rabbitmq") as second, \
            harness.scratch() as folder:
        here = Queue(first["WEIR_AMQP"]).declare()
        there = Queue(second["WEIR_AMQP"])
        there.name = here.name
        there.declare()
        consumer = Consumer(here, folder, "moves",
                            {"url": f"['{here.url}', '{there.url}']"})
        with consumer.live:
            put(here, numbers(0, burst()))
            await_that(lambda: len(consumer.lines()) == burst(),
                       "the first broker's messages")
            await_nothing_left(first, [here])
            first.do("kill")
            put(there, numbers(burst(), burst()))
            await_that(lambda: len(consumer.lines()) == 2 * burst(),
                       "the second broker's messages")
            await_nothing_left(second, [there])
            consumer.live.expect_end(0)
            expect_equal(sorted(consumer.lines()), numbers(0, 2 * burst()),
                         "messages")


def take_turns(queue, amqp, says):
    """Two weirs of which one consumes: it ends, and the other goes on where it
    stopped, in order."""
    with harness.scratch() as folder, contextlib.ExitStack() as stack:
        def consumer(name):
            made = Consumer(queue, folder, name, amqp,
                            handler=witness(folder, delay="1ms"),
                            processors="ordering: partition")
            stack.enter_context(made.live)
            return made
        first = consumer("first")
        await_that(lambda: queue.state()[1] == 1, "a consumer")
        second = consumer("second")
        says(second)
        put(queue, numbers(0, burst()))
        await_that(first.lines, "lines of the first")
        first.live.expect_end(0)
        put(queue, numbers(burst(), burst()))
        await_that(lambda: len(first.lines() + second.lines())
                   >= 2 * burst(), "every message in a file")
        second.live.expect_end(0)
        expect_equal(first.lines() + second.lines(), numbers(0, 2 * burst()),
                     "messages of the first, then of the second")
        expect_equal(queue.state(), (0, 0), "messages and consumers left")


def single_active():
    with OwnNode("rabbitmq") as node:
        queue = Queue(node["WEIR_AMQP"], "quorum",
                      x_single_active_consumer=True).declare()

        def says(second):
            del second
            await_that(lambda: node.tool("list_consumers").count(queue.name)
                       == 2, "a second consumer")
        take_turns(queue, {"declare": "{ type: quorum, arguments: "
                                      "{ x-single-active-consumer: true } }"},
                   says)


def in_turns():
    """Each ends in mid-stream while the next one waits: what the broker had sent
    ahead comes before later messages."""
    count = 3000  # twelve seconds' worth: none has all before the next is there
    with OwnNode("rabbitmq") as node, harness.scratch() as folder, \
            contextlib.ExitStack() as stack:
        queue = Queue(node["WEIR_AMQP"], "quorum",
                      x_single_active_consumer=True).declare()
        put(queue, numbers(0, count))
        consumers = []

        def join():
            consumers.append(Consumer(
                queue, folder, f"number{len(consumers)}",
                {"declare": "{ type: quorum, arguments: "
                            "{ x-single-active-consumer: true } }"},
                handler=witness(folder, delay="4ms"), batch_size=20,
                processors="ordering: partition"))
            stack.enter_context(consumers[-1].live)
            return consumers[-1]
        join()
        for turn in range(2):
            await_that(consumers[turn].lines, "lines of who has its turn")
            join()
            await_that(lambda: node.tool("list_consumers").count(queue.name)
                       == 2, "one that waits for its turn")
            consumers[turn].live.expect_end(0)
        await_that(lambda: sum(len(one.lines()) for one in consumers)
                   >= count, "every message in a file")
        consumers[-1].live.expect_end(0)
        found = [line for one in consumers for line in one.lines()]
        wrong = [pair for pair in zip(found, numbers(0, count))
                 if pair[0] != pair[1]]
        expect(len(found) == count and not wrong,
               f"{len(found)} messages, of one after the other; instead of "
               f"the second there is the first: {wrong[:3]}")


def exclusive():
    queue = Queue(harness.broker("WEIR_AMQP")).declare()
    take_turns(queue, {"exclusive": "true"},
               lambda second: second.live.await_log("exclusive"))


def exclusive_again():
    """Its connection is cut, and the broker hasn't noticed yet that it is gone:
    that the queue is in use passes."""
    with OwnNode("rabbitmq") as node, harness.scratch() as folder:
        queue = Queue(node["WEIR_AMQP"]).declare()
        consumer = Consumer(queue, folder, "alone", {"exclusive": "true"},
                            processors="ordering: partition")
        with consumer.live:
            sent = 0
            for _ in range(3):
                put(queue, numbers(sent, burst()))
                sent += burst()
                await_that(lambda sent=sent: set(consumer.lines())
                           >= set(numbers(0, sent)), "all messages so far")
                node.tool("close_all_connections", "the test says so")
            put(queue, numbers(sent, burst()))
            sent += burst()
            await_that(lambda: set(consumer.lines()) >= set(numbers(0, sent)),
                       "all messages")
            await_nothing_left(node, [queue])
            expect(consumer.live.process.poll() is None, "weir ended")
            consumer.live.expect_end(0)
            expect_equal(unsettled(node)[queue.name], (0, 0), "what is left")


if __name__ == "__main__":
    harness.main({
        "consumer_timeout_classic": lambda: consumer_timeout("classic"),
        "consumer_timeout_quorum": lambda: consumer_timeout("quorum"),
        "failover": failover,
        "single_active": single_active,
        "in_turns": in_turns,
        "exclusive": exclusive,
        "exclusive_again": exclusive_again})
