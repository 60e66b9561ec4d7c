"""A group of 1, then 8, then 1 members, while messages come all the time.

    members    1 |  2 ... 8        | 1
    messages   ---------------------------

Each number goes to partition `number % 8`. With eight members each has one of the
partitions; the seven leave at the same time, in the middle of what they have. Nothing is
lost; what is there twice was not committed when its partition moved; a lane goes back in
a member's file only when that was given partitions anew.
"""
import contextlib

import harness
from harness import await_that, expect
from live import expect_each
from rebalance_test import GIVEN, Member
from topic import Topic, line, texts

PARTITIONS = 8


class Load:
    """Messages to all partitions; `go_on` sends some more."""

    def __init__(self, topic, step):
        self.topic, self.step = topic, step
        self.feeds, self.sent = [], 0

    def go_on(self):
        numbers = range(self.sent, self.sent + self.step)
        for index in range(PARTITIONS):
            self.feeds.append(self.topic.send(
                map(line, numbers[index::PARTITIONS]), "-p", str(index)))
        self.sent += self.step
        return numbers

    def finish(self):
        for feed in self.feeds:
            expect(feed.wait(harness.RUN_TIMEOUT_S) == 0, "kcat failed")


def all_have(members, since):
    return all(any(number >= since for number in member.numbers())
               for member in members)


def scale():
    topic = Topic(harness.broker("WEIR_KAFKA"), PARTITIONS).create()
    load = Load(topic, 800 if harness.is_small() else 2400)
    with harness.scratch() as folder, contextlib.ExitStack() as stack:
        def join(name):
            member = Member(topic, folder, name, "partition")
            stack.enter_context(member.live)
            return member

        load.go_on()
        first = join("first")
        await_that(first.numbers, "lines of the first member")

        load.go_on()
        others = [join(f"other{number}") for number in range(1, PARTITIONS)]
        for other in others:
            other.live.await_log(GIVEN)
        everyone = [first, *others]
        since = load.go_on().start
        await_that(lambda: all_have(everyone, since),
                   "each of eight members at work on what came last")

        load.go_on()
        for other in others:
            other.live.send()
        for other in others:
            other.live.expect_end(0, None)
        since = load.go_on().start
        load.finish()
        await_that(lambda: {number % PARTITIONS for number in first.numbers()
                            if number >= since} == set(range(PARTITIONS)),
                   "the first with all partitions again")
        topic.await_all_committed()
        first.live.expect_end(0)
        expect_each([f"{number:06d}" for member in everyone
                     for number in member.numbers()], texts(range(load.sent)),
                    "messages in all files")
        for member in everyone:
            member.expect_order(PARTITIONS)
        topic.expect_all_committed()


if __name__ == "__main__":
    harness.main({"up_and_down": scale})
