"""Members join and leave 20 times under load: nothing lost, order within an owner.

    round      1    2    3    4    5
    first      ------------------------
    others     --------
                    --------
                         --------  ...

Each number goes to partition `number % 4`, so a line tells its lane.  A message
that was not committed when its partition moved is read again by the next owner;
where one file goes back in a lane, that member must have been given partitions
anew.
"""
import collections
import contextlib
import os

import harness
from harness import await_that, expect, expect_equal
from live import Live, expect_each, lines_of, topology, witness
from topic import Topic, line, texts

PARTITIONS, KEYS, ROUNDS = 4, 16, 10
GIVEN = "gives this member"
SESSION = "{ session.timeout.ms: 10000, heartbeat.interval.ms: 300 }"


class Member:
    def __init__(self, topic, folder, name, ordering):
        self.out = f"{folder}/{name}.out"
        self.live = Live(topology(
            folder, topic.producer(commit_interval="200ms",
                                   properties=SESSION),
            name=name, handler=witness(folder, delay="2ms"),
            processors=f"ordering: {ordering}", batch_size=20,
            sink=f"{{ file: {{ path: {self.out}, fsync: never }} }}"))

    def numbers(self):
        return [int(text) for text in lines_of(self.out)]

    def expect_order(self, lanes):
        back, last = collections.Counter(), {}
        for number in self.numbers():
            lane = number % lanes
            back[lane] += number <= last.get(lane, -1)
            last[lane] = number
        given = self.live.log.count(GIVEN)
        worst = max(back.values(), default=0)
        expect(worst < max(given, 1),
               f"{self.out}: a lane goes back {worst} times, and partitions "
               f"were given {given} times")


def load(topic, feeds, first, count):
    """To every partition at once; returns the number after the last."""
    for index in range(PARTITIONS):
        numbers = range(first + index, first + count, PARTITIONS)
        feeds.append(topic.send(map(line, numbers), "-p", str(index)))
    return first + count


def rebalance(ordering, lanes):
    step = 200 if harness.is_small() else 1000
    topic = Topic(harness.broker("WEIR_KAFKA"), PARTITIONS).create()
    feeds, members = [], []
    with harness.scratch() as folder, contextlib.ExitStack() as stack:
        def join(name):
            members.append(Member(topic, folder, name, ordering))
            stack.enter_context(members[-1].live)
            members[-1].live.await_log(GIVEN)
            return members[-1]
        sent = load(topic, feeds, 0, step)
        join("first")
        for number in range(ROUNDS):
            sent = load(topic, feeds, sent, step)
            member = join(f"other{number}")
            sent = load(topic, feeds, sent, step)
            await_that(lambda member=member: lines_of(member.out),
                       "lines of a member that joined")
            if number > 0:
                members[-2].live.expect_end(0)
        for feed in feeds:
            expect(feed.wait(harness.RUN_TIMEOUT_S) == 0, "kcat failed")
        await_that(lambda: {number for member in members
                            for number in member.numbers()}
                   >= set(range(sent)), "every message in a file")
        topic.await_all_committed()
        members[-1].live.expect_end(0)
        members[0].live.expect_end(0)
        expect_each([f"{number:06d}" for member in members
                     for number in member.numbers()], texts(range(sent)),
                    "messages in all files")
        for member in members:
            member.expect_order(lanes)
        topic.expect_all_committed()


def joined_late():
    """Who joins while a member is at its end already, and another is not.

    One process reads two partitions to their end with two members.  One of them
    is empty, the other stands in the handler.  The member at its end must have
    left: the group would wait for it as long as max.poll.interval.ms.
    """
    topic = Topic(harness.broker("WEIR_KAFKA"), 2).create()
    topic.put(range(20), "-p", "1")
    with harness.scratch() as folder:
        first, gate = f"{folder}/first.out", f"{folder}/gate"
        keys = {"properties": SESSION, "commit_interval": "100ms",
                "drain_timeout": "1s"}
        ends = topology(
            folder, topic.producer(**keys) + "\n  concurrency: 2",
            name="ends", handler=witness(folder, gate=gate),
            sink=f"{{ file: {{ path: {first}, fsync: never }} }}")
        late = topology(
            folder, topic.producer(**keys), name="late",
            sink=f"{{ file: {{ path: {folder}/late.out, fsync: never }} }}")
        with open(gate, "wb"):
            pass
        with Live(ends, ["--until-end"]) as ending:
            # One each, or all for one, one for the other, and what is then left:
            # one, or both when the other has ended before this one is back.
            await_that(lambda: (ending.log.count(f"{GIVEN} 1 partitions") >= 2
                                or ending.log.count(GIVEN) >= 3)
                       and topic.committed()[0] == 0,
                       "a member with the empty partition's end")
            with Live(late) as joining:
                joining.await_log(GIVEN)
                os.remove(gate)
                expect_equal(ending.wait(), 0, "exit code")
                ending.expect_balance()
                topic.await_all_committed()
                joining.expect_end(0)
        expect_each(lines_of(first) + lines_of(f"{folder}/late.out"),
                    texts(range(20)), "messages in both files")


if __name__ == "__main__":
    harness.main({"by_partition": lambda: rebalance("partition", PARTITIONS),
                  "by_key": lambda: rebalance("key", KEYS),
                  "joined_late": joined_late})
