"""How the process ends: asked to, killed, in trouble, and twice.

Whatever happens, what one run leaves the next one takes: the union is complete.
"""
import signal

import harness
from amqp_queue import Queue, burst
from harness import await_that, expect, expect_equal
from live import (Clock, Live, expect_each, lines_of, topology, witness)
from own_node import OwnNode
from topic import Topic, texts

# For a shell and for containers these are the same.
SECOND_SIGNAL = (-signal.SIGTERM, 128 + signal.SIGTERM)
UNSETTLED = ("not confirmed", "the connection broke", "without this member")
PREFETCH = 200
# To the deadline comes what a loaded machine and a sanitizer take.
DEADLINE, AT_MOST_S = "5s", 30
SESSION = "{ session.timeout.ms: 6000, heartbeat.interval.ms: 500 }"
SHORT_SESSION = "{ session.timeout.ms: 3000, heartbeat.interval.ms: 500 }"
GENERATOR = "generator: { rate: 100, template: \"n%{n} \" }"


def await_some(path):
    await_that(lambda: len(lines_of(path)) > 0, "the first lines in the file")


def sigterm_under_load(source, folder, numbers, ordering, again=0):
    """Stops the first run in the middle; the second takes the rest, and of what
    the first did at most `again`."""
    handler = witness(folder, delay="2ms")
    first = topology(folder, source, name="first", handler=handler,
                     processors=f"ordering: {ordering}",
                     sink=f"{{ file: {{ path: {folder}/first.out }} }}")
    second = topology(folder, source, name="second",
                      sink=f"{{ file: {{ path: {folder}/second.out }} }}")
    with Live(first) as live:
        await_some(f"{folder}/first.out")
        live.expect_end(0)
        done = lines_of(f"{folder}/first.out")
        expect(len(done) < len(numbers), "everything was done: no load")
        expect_equal(len(done), live.report["done"], "lines, for what is done")
        expect_equal(len(set(done)), len(done), "lines that differ")
    with Live(second, ["--until-end"]) as live:
        live.expect_end(0, None)
    both = done + lines_of(f"{folder}/second.out")
    expect_each(both, texts(numbers), "messages in both files")
    # What was done was settled.
    expect(len(numbers) <= len(both) <= len(numbers) + again,
           f"{len(both)} lines in both files, of {len(numbers)}")


def sigterm_kafka():
    numbers = range(burst() * 10)
    topic = Topic(harness.broker("WEIR_KAFKA")).create()
    topic.put(numbers)
    with harness.scratch() as folder:
        # Without an order a done message may be behind an open one, and twice.
        sigterm_under_load(topic.producer(), folder, numbers, "partition")
    topic.expect_all_committed()


def sigterm_amqp():
    numbers = range(burst() * 4)
    # A quorum queue whose node is slow drops what a channel that ends had
    # acknowledged last: what the broker can have out at once may come again.
    for kind, again in (("classic", 0), ("quorum", PREFETCH)):
        queue = Queue(harness.broker("WEIR_AMQP"), kind).declare()
        queue.put(text.encode() for text in texts(numbers))
        with harness.scratch() as folder:
            sigterm_under_load(queue.producer(prefetch=PREFETCH), folder,
                               numbers, "none", again)
        queue.await_ready(0)
        queue.delete()


def kill_in_the_middle(folder, source, count, **values):
    """Returns the lines of a run that was killed, and of the one after it."""
    values = {"handler": witness(folder, delay="1ms"), "batch_size": 10,
              **values}
    path = topology(folder, source, **values)
    with Live(path) as live:
        await_that(lambda: len(lines_of(f"{folder}/out")) > count // 4,
                   "a quarter of the messages")
        live.send(signal.SIGKILL)
        live.wait()
    first = len(lines_of(f"{folder}/out"))
    expect(first < count, "everything was done before the kill")
    with Live(path, ["--until-end"]) as live:
        live.expect_end(0, None)
    # A torn last line was cut off by the second run, so ask now.
    lines = lines_of(f"{folder}/out")
    return lines[:first], lines[first:]


def kill_kafka():
    partitions, window = 4, 200
    numbers = range(burst() * 6)
    topic = Topic(harness.broker("WEIR_KAFKA"), partitions).create()
    for index in range(partitions):
        topic.put(numbers[index::partitions], "-p", str(index))
    source = topic.producer(max_uncommitted=window, properties=SESSION)
    with harness.scratch() as folder:
        first, second = kill_in_the_middle(folder, source, len(numbers))
    expect_each(first + second, texts(numbers), "messages in the file")
    for index in range(partitions):
        of_partition = {f"{number:06d}" for number in numbers[index::partitions]}
        twice = of_partition & set(first) & set(second)
        expect(len(twice) <= window,
               f"partition {index}: {len(twice)} twice, more than {window}")
    topic.expect_all_committed()


def kill_amqp():
    numbers = range(burst() * 4)
    for kind in ("classic", "quorum"):
        queue = Queue(harness.broker("WEIR_AMQP"), kind).declare()
        queue.put(text.encode() for text in texts(numbers))
        with harness.scratch() as folder:
            first, second = kill_in_the_middle(folder, queue.producer(),
                                               len(numbers))
        expect_each(first + second, texts(numbers), f"messages, {kind}")
        queue.await_ready(0)
        queue.delete()


def broker_away(node, source_of):
    """SIGTERM while nothing can be settled: it ends at the deadline and says so;
    what was begun is finished, so that nothing is abandoned by the deadline."""
    numbers = range(burst() * 4)
    for verb, mend in (("freeze", "thaw"), ("kill", "restart")):
        with harness.scratch() as folder:
            source = source_of(numbers)
            path = topology(folder, source, timeout=DEADLINE,
                            handler=witness(folder, delay="5ms"))
            with Live(path) as live:
                await_some(f"{folder}/out")
                node.do(verb)
                clock = Clock()
                live.expect_end(0)
                expect(clock.seconds() < AT_MOST_S,
                       f"{clock.seconds():.1f} s for a deadline of {DEADLINE}")
                expect(any(text in live.log for text in UNSETTLED),
                       "the log doesn't say that something was not settled")
            node.do(mend)
            with Live(topology(folder, source), ["--until-end"]) as live:
                live.expect_end(0, None)
            expect_each(lines_of(f"{folder}/out"), texts(numbers),
                        "messages in the file")


def away_kafka():
    with OwnNode("kafka", "--conf", "group.min.session.timeout.ms=1000") as node:
        def source_of(numbers):
            topic = Topic(node["WEIR_KAFKA"]).create()
            topic.put(numbers)
            return topic.producer(properties=SHORT_SESSION)
        broker_away(node, source_of)


def away_amqp():
    with OwnNode("rabbitmq") as node:
        def source_of(numbers):
            # A node that was frozen or killed alone sometimes does not answer
            # a consumer of a quorum queue for minutes.
            queue = Queue(node["WEIR_AMQP"], "classic").declare()
            node.do("restart")  # killed soon after, 3.10 forgets the queue
            queue.put(text.encode() for text in texts(numbers))
            return queue.producer()
        broker_away(node, source_of)


def second_signal():
    with harness.scratch() as folder:
        path = topology(folder, GENERATOR, timeout="60s",
                        handler=witness(folder, stuck="n3 "))
        with Live(path) as live:
            await_some(f"{folder}/out")
            live.send()
            live.await_log("draining")
            live.send()
            code = live.wait(AT_MOST_S)
            expect(code in SECOND_SIGNAL, f"exit code {code}")


def stuck_handler():
    with harness.scratch() as folder:
        path = topology(folder, GENERATOR, timeout=DEADLINE,
                        handler=witness(folder, stuck="n3 "))
        with Live(path) as live:
            await_some(f"{folder}/out")
            live.send()
            expect_equal(live.wait(AT_MOST_S), 75, "exit code")
            live.expect_balance()
            expect(live.report["abandoned"] >= 1, f"report: {live.report}")


if __name__ == "__main__":
    harness.main({
        "sigterm_kafka": sigterm_kafka, "sigterm_amqp": sigterm_amqp,
        "kill_kafka": kill_kafka, "kill_amqp": kill_amqp,
        "away_kafka": away_kafka, "away_amqp": away_amqp,
        "second_signal": second_signal, "stuck_handler": stuck_handler})
