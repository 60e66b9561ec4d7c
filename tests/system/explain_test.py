"""What holds a partition or a queue is named while it does: `weir explain`."""
import contextlib
import json
import os
import re
import subprocess

import harness
import outputs
from amqp_queue import Queue
from harness import await_that, expect, expect_equal
from live import Live, command, topology, witness
from topic import Topic, finish, line

LISTENS = re.compile(r"127\.0\.0\.1:(\d+)")
PARTITIONS, EACH = 4, 50
SESSION = "{ session.timeout.ms: 6000, heartbeat.interval.ms: 300 }"


class Watched:
    """A `weir run` that can be asked."""

    def __init__(self, folder, producer, name, **values):
        path = topology(folder, producer, name=name, sink="discard", **values)
        self.live = Live(path, env={**os.environ, "WEIR_ADMIN": "127.0.0.1:0"})

    def address(self):
        for said in self.live.log.splitlines():
            found = LISTENS.search(said)
            if found and "admin" in said:
                return found.group(0)
        return None

    def ask(self, *options):
        await_that(self.address, "the address of the admin interface")
        result = subprocess.run(
            [command(), "explain", "--address", self.address(), *options],
            check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, timeout=harness.WAIT_TIMEOUT_S)
        outputs.keep("explain", result.stdout + result.stderr)
        expect_equal((result.returncode, result.stderr), (0, ""),
                     "weir explain")
        return result.stdout

    def page(self):
        return json.loads(self.ask("--json"))

    def is_stuck_at(self, partition, position):
        return any((worker["callback"]["partition"],
                    worker["callback"]["position"]) == (partition, position)
                   for worker in self.page()["workers"] if worker["callback"])

    def sources(self):
        return {source["partition"]: source
                for source in self.page()["sources"]}


def one_message_never_finishes_kafka():
    """One partition stands, and its message and worker are named; the others
    flow; what another member takes is gone."""
    topic = Topic(harness.broker("WEIR_KAFKA"), PARTITIONS).create()
    for partition in range(PARTITIONS):
        finish(topic.send(
            [f"k:{partition}-{n:03d}\n".encode() for n in range(EACH)],
            "-p", str(partition)))
    producer = topic.producer(commit_interval="100ms", max_uncommitted=1000,
                              drain_timeout="1s", properties=SESSION)
    with harness.scratch() as folder, contextlib.ExitStack() as stack:
        handler = witness(folder, stuck="2-007")
        first = Watched(folder, producer, "first", handler=handler,
                        batch_size=10, processors="ordering: partition",
                        timeout="1s")
        stack.enter_context(first.live)

        def others_are_done():
            sources = first.sources()
            return len(sources) == PARTITIONS and all(
                source["committed"] == EACH
                for partition, source in sources.items() if partition != 2)
        await_that(others_are_done, "all but one partition committed")
        await_that(lambda: first.is_stuck_at(2, 7), "a worker that is stuck")
        # What the same worker had before it goes on with it.
        stuck = first.sources()[2]
        expect(stuck["oldest"]["position"] <= 7, f"the oldest: {stuck}")
        expect_equal(stuck["oldest"]["position"], stuck["committed"],
                     "the oldest offset, and where the commit is held")
        expect_equal(stuck["oldest"]["where"], "handler", "its stage")
        expect_equal(stuck["oldest"]["attempt"], 1, "its attempt")
        expect(all(source["oldest"] is None
                   for partition, source in first.sources().items()
                   if partition != 2), "another partition holds something")

        finish(topic.send([line(n) for n in range(2000)]))

        def lag_adds_up():
            ends, sources = topic.ends(), first.sources()
            return all(source["lag"] is not None and
                       source["lag"] + source["position"] == ends[partition]
                       for partition, source in sources.items())
        await_that(lag_adds_up, "lags and positions that add up to the ends")
        said = first.ask()
        expect(f"{topic.name}[2]@7" in said, f"no such message in: {said}")
        expect("do: find out what the handler waits for" in said,
               f"nothing to do in: {said}")

        second = Watched(folder, producer, "second", timeout="5s")
        stack.enter_context(second.live)
        await_that(lambda: len(first.sources()) == PARTITIONS // 2 and
                   len(second.sources()) == PARTITIONS // 2,
                   "half of the partitions at each member")
        expect(not set(first.sources()) & set(second.sources()),
               "a partition that both show")
        second.live.expect_end(0)
        first.live.process.kill()
        first.live.process.wait()


def one_message_never_finishes_amqp():
    """A queue has no positions: what holds it is a delivery tag."""
    queue = Queue(harness.broker("WEIR_AMQP")).declare()
    queue.put([f"{n:03d}".encode() for n in range(EACH)])
    with harness.scratch() as folder, contextlib.ExitStack() as stack:
        stack.callback(queue.delete)
        watched = Watched(folder, queue.producer(), "amqp",
                          handler=witness(folder, stuck="007"), batch_size=10,
                          timeout="1s")
        stack.enter_context(watched.live)

        def what_is_behind_it_is_settled():
            source = watched.sources().get(None)
            return source and 1 <= source["open"] <= 8 and source["oldest"]
        await_that(what_is_behind_it_is_settled, "what is behind it settled")
        await_that(lambda: watched.is_stuck_at(None, 8), "a stuck worker")
        source = watched.sources()[None]
        expect_equal(source["name"], queue.name, "the source")
        expect(source["oldest"]["position"] <= 8, f"the delivery tag: {source}")
        expect_equal(source["oldest"]["where"], "handler", "its stage")
        expect(source["window"] >= source["open"], f"unacknowledged: {source}")
        expect_equal(source["committed"], None, "the commit position")
        expect(f"{queue.name}#8" in watched.ask(), "the message is not named")
        watched.live.process.kill()
        watched.live.process.wait()


def nobody_answers():
    """Clear, and an exit code of its own."""
    result = subprocess.run(
        [command(), "explain", "--address", "127.0.0.1:1"], check=False,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        timeout=harness.WAIT_TIMEOUT_S)
    expect_equal(result.returncode, 69, "exit code")
    expect("nothing answers on 127.0.0.1:1" in result.stderr,
           f"said: {result.stderr}")


CASES = {
    "kafka": one_message_never_finishes_kafka,
    "amqp": one_message_never_finishes_amqp,
    "nobody": nobody_answers,
}

if __name__ == "__main__":
    harness.main(CASES)
