"""SIGHUP under load: nothing is lost, and no source is touched."""
import json
import os
import re
import signal

import harness
from admin_test import Watched
from amqp_queue import Queue
from harness import await_that, expect, expect_equal
from live import expect_each, lines_of, topology
from topic import Topic, texts

RELOADS = 15

# Each other one; what needs a restart is in the second.
VERSIONS = (
    {"batch_size": 90, "processors": "ordering: {ordering}"},
    {"batch_size": 7, "processors": "timeout: 7s\n  ordering: {ordering}",
     "failure": "{ then: drop, retry: { attempts: 9, backoff: { min: 2ms } } }",
     "timeout": "20s", "more": "later: { sink: discard }"},
)


def write(folder, producer, ordering, number):
    """What runs reads it when it is told to; it is there whole."""
    values = {name: value.replace("{ordering}", ordering) if isinstance(value, str)
              else value for name, value in VERSIONS[number % 2].items()}
    path = topology(folder, producer, **{**values, "name": "next"})
    with open(path, encoding="utf-8") as file:
        text = file.read().replace("name: next", "name: run")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(path, f"{folder}/run.yaml")
    return f"{folder}/run.yaml"


def state_of(live):
    return json.loads(live.ask("/api/v1/reload")[1])


def hang_up(live, generation):
    live.send(signal.SIGHUP)
    await_that(lambda: state_of(live)["generation"] == generation,
               f"generation {generation}: {state_of(live)}")
    return state_of(live)["last"]


def under_load(folder, producer, ordering, put, each):
    """`put(first, last)` sends, `each` for each reload; every number arrives, by one and the same source."""
    live = Watched(write(folder, producer, ordering, 0))
    with live:
        live.await_ready()
        put(0, each)
        await_that(live.sources, "a source")
        await_that(lambda: len(lines_of(f"{folder}/out")) > 0, "the first messages")
        epochs = {(one["name"], one["partition"]): one["epoch"] for one in live.sources()}
        for number in range(1, RELOADS + 1):
            put(number * each, (number + 1) * each)
            write(folder, producer, ordering, number)
            last = hang_up(live, number + 1)
            expect_equal(last["result"], "applied", "the result")
            expect_equal([change["path"] for change in last["needs_restart"]],
                         ["batchers.later"] if number % 2 else [], "what needs a restart")
        with open(f"{folder}/run.yaml", "w", encoding="utf-8") as file:
            file.write("name: run\nproducer: [\n")
        live.send(signal.SIGHUP)
        await_that(lambda: state_of(live)["last"]["result"] == "refused", "a refusal")
        expect_equal(state_of(live)["generation"], RELOADS + 1, "the generation")
        wanted = texts(range((RELOADS + 1) * each))
        await_that(lambda: len(set(lines_of(f"{folder}/out"))) >= len(wanted),
                   "all messages")
        expect_equal({(one["name"], one["partition"]): one["epoch"]
                      for one in live.sources()}, epochs, "each source is the same")
        live.expect_end()
    counters = live.report["counters"]
    expect_equal((counters["reconnects"], counters["fenced"], counters["closed_revoke"]),
                 (0, 0, 0), "reconnects, fenced, revoked")
    expect_equal(len(re.findall("reloaded ", live.log)), RELOADS, "lines of reloads")
    found = lines_of(f"{folder}/out")
    expect_each(found, wanted, "the output")
    expect_equal(len(found), len(wanted), "nothing came twice")


def kafka():
    topic = Topic(harness.broker("WEIR_KAFKA"), partitions=4).create()
    with harness.scratch() as folder:
        under_load(folder, topic.producer(), "partition",
                   lambda first, last: topic.put(range(first, last)), 200)
    topic.expect_all_committed()


def amqp():
    queue = Queue(harness.broker("WEIR_AMQP"), "quorum").declare()
    with harness.scratch() as folder:
        under_load(folder, queue.producer(), "none",
                   lambda first, last: queue.put(
                       text.encode() for text in texts(range(first, last))), 40)
        queue.await_ready(0)
    queue.delete()


if __name__ == "__main__":
    harness.main({"kafka": kafka, "amqp": amqp})
