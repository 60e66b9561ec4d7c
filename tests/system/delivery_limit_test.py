"""A quorum queue counts deliveries: what weir does near the limit, and what no one can
do about it where the broker has reached it.

RabbitMQ 3.10 has no limit unless the queue says so.  From 4.0 on it is 20, and what
reached it goes to the dead-letter exchange or, where there is none, is dropped.  So
each case asks the node for its version.
"""
import harness
from amqp_queue import Queue, channel_to
from harness import expect, expect_equal
from live import Live, lines_of, topology, witness
from policies_test import GOOD, Letters

LIMIT = 20  # RabbitMQ 4's, and what weir takes for it unless told otherwise
NEAR = LIMIT - 2
WAIT_S = 30


def has_limit(url):
    """Whether a quorum queue has one without being told."""
    with channel_to(url) as channel:
        # pylint: disable-next=protected-access
        version = channel.connection._impl.server_properties["version"]
    print(f"RabbitMQ {version}")
    return int(version.split(".")[0]) >= 4


def take_and_die(queue, count, times):
    """A consumer gets them all, and ends without a word about any."""
    for _ in range(times):
        queue.await_ready(count)
        with channel_to(queue.url) as channel:
            channel.basic_qos(prefetch_count=count)
            for taken, (method, _, _) in enumerate(channel.consume(
                    queue.name, inactivity_timeout=WAIT_S), 1):
                expect(method, f"no more than {taken - 1} of {count} came")
                if taken == count:
                    break
            channel.connection.close()


def near_the_limit():
    """What no handler saw was counted: said before it is handled, and what fails
    then is rejected, though it should be requeued."""
    with Letters() as letters, harness.scratch() as folder:
        has_limit(letters.queue.url)
        letters.put([*GOOD, "bad one"])
        count = len(GOOD) + 1
        take_and_die(letters.queue, count, NEAR)
        live, reason = letters.run(folder, "requeue")
        expect_equal(reason, "rejected", "why it is dead")
        expect_equal(live.report["received"], count, "received")
        expect_equal(live.report["counters"]["last_deliveries"], count,
                     "deliveries near the limit")
        expect(f"has {NEAR} earlier deliveries, and the limit is {LIMIT}"
               in live.log, "the log doesn't say it")


def requeued_to_the_limit():
    """A message that always fails is given up by weir, not by the broker."""
    with Letters() as letters, harness.scratch() as folder:
        has_limit(letters.queue.url)
        letters.put([*GOOD, "bad one"])
        live, reason = letters.run(folder, "requeue")
        expect_equal(reason, "rejected", "why it is dead")
        expect_equal(live.report["received"], len(GOOD) + NEAR,
                     "deliveries, each of which says how many before")
        expect_equal(live.report["counters"]["last_deliveries"], 1,
                     "deliveries near the limit")


def expect_all_handled(queue, folder, name, wanted):
    """By a weir that comes late."""
    out = f"{folder}/{name}.out"
    path = topology(folder, queue.producer(), name=name,
                    sink=f"{{ file: {{ path: {out}, fsync: never }} }}",
                    handler=witness(folder))
    with Live(path) as live:
        harness.await_that(lambda: len(lines_of(out)) >= len(wanted),
                           "every message in the file")
        live.expect_end(0)
    expect_equal(sorted(lines_of(out)), sorted(wanted), "lines")
    queue.await_ready(0)
    return live.report["counters"]["last_deliveries"]


def beyond_the_limit():
    """Consumers died with these once too often: from 4.0 on they are gone."""
    with Letters() as letters, harness.scratch() as folder:
        plain = Queue(letters.queue.url, "quorum").declare()
        queues, is_limited = (letters.queue, plain), has_limit(plain.url)
        for queue in queues:
            queue.put(text.encode() for text in GOOD)
            take_and_die(queue, len(GOOD), LIMIT + 1)
            queue.await_ready(0 if is_limited else len(GOOD))
        if is_limited:
            for _, properties in letters.dead.take_all(len(GOOD)):
                expect_equal(properties.headers["x-death"][0]["reason"],
                             "delivery_limit", "why it is dead")
        for number, queue in enumerate(queues):
            queue.put([b"later"])
            handled = ["later"] if is_limited else [*GOOD, "later"]
            expect_equal(expect_all_handled(queue, folder, f"late{number}",
                                            handled), len(handled) - 1,
                         "deliveries near the limit")
        plain.delete()


if __name__ == "__main__":
    harness.main({"near": near_the_limit, "requeued": requeued_to_the_limit,
                  "beyond": beyond_the_limit})
