"""From one Kafka topic to another: what came in goes out, all of it."""
import json
import signal
import subprocess
import time

import harness
from harness import Failed, await_that, expect, expect_equal
from live import Clock, Live, topology
from own_node import OwnNode
from topic import Topic, finish, texts

COUNT, KEYS = 20000, 16
STUCK = 75


def read(topic):
    """Every message of a topic, as kcat's JSON, in the order of partitions."""
    said = subprocess.run(
        ["kcat", "-q", "-b", topic.broker, "-C", "-t", topic.name, "-e", "-J",
         "-o", "beginning"], check=True, stdout=subprocess.PIPE,
        timeout=harness.RUN_TIMEOUT_S).stdout
    return [json.loads(line) for line in said.splitlines()]


def sink(topic, **members):
    keys = {"brokers": f"'{topic.broker}'", "topic": f"'{topic.name}'", **members}
    return "{ kafka: { " + ", ".join(
        f"{key}: {value}" for key, value in keys.items()) + " } }"


def arrived(topic):
    """How many messages it has; none while nobody can tell."""
    try:
        return sum(topic.ends().values())
    except (Failed, OSError):
        return 0


def through():
    """Each message once, under its key, in its key's order."""
    broker = harness.broker("WEIR_KAFKA")
    count = COUNT // 10 if harness.is_small() else COUNT
    source, target = Topic(broker).create(), Topic(broker).create()
    source.put(range(count))
    with harness.scratch() as folder:
        path = topology(folder, source.producer(),
                        processors="ordering: partition",
                        sink=sink(target))
        with Live(path, ["--until-end"]) as live:
            live.expect_end(number=None)
            expect_equal(live.report["done"], count, "done")
    found = {}
    for message in read(target):
        found.setdefault(message["key"], []).append(message["payload"])
    expect_equal(found, {f"k{key}": texts(range(key, count, KEYS))
                         for key in range(KEYS)}, "messages by key")
    source.expect_all_committed()


def expect_order(messages, count):
    """Nothing is lost; of each key a message comes for the first time only
    behind those before it.  Returns how many came again."""
    seen, last = set(), {}
    for message in messages:
        number = int(message["payload"][:16])
        if number in seen:
            continue
        before = last.get(message["key"], -1)
        expect(number > before, f"{number} came behind {before}")
        seen.add(number)
        last[message["key"]] = number
    missing = set(range(count)) - seen
    expect(not missing, f"{len(missing)} lost, such as {sorted(missing)[:3]}")
    return len(messages) - len(seen)


def outages():
    """The broker stops, dies and freezes in mid-stream."""
    rate = 2000
    count = rate * (15 if harness.is_small() else 30)
    with OwnNode("kafka") as node, harness.scratch() as folder:
        target = Topic(node["WEIR_KAFKA"]).create()
        path = topology(
            folder,
            f"generator: {{ rate: {rate}, count: {count}, keys: {KEYS} }}",
            processors="ordering: key", batch_size="100\n    max_in_flight: 4",
            sink=sink(target, properties="{ reconnect.backoff.max.ms: 500, "
                      "socket.timeout.ms: 3000 }"))
        with Live(path) as live:
            def await_more(since):
                await_that(lambda: arrived(target) > since,
                           f"more than {since} messages in the topic")
            await_more(0)
            for down, up in (("stop", "restart"), ("kill", "restart"),
                             ("freeze", "thaw")):
                before = live.log.count("no broker answers")
                node.do(down)
                await_that(
                    lambda: live.log.count("no broker answers") > before,
                    f"said that the broker is gone ({down})")
                node.do(up)
                await_that(lambda: arrived(target) > 0, "the broker is back")
                await_more(arrived(target) + rate // 10)
            live.expect_end(number=None)
            expect_equal(live.report["done"], count, "done")
            expect_equal(live.report["rejected"], 0, "rejected")
        again = expect_order(read(target), count)
        print(f"{again} messages came again")


def sigterm_down():
    """SIGTERM while the broker is away ends at the deadline; what is left is
    counted as such."""
    with OwnNode("kafka") as node, harness.scratch() as folder:
        target = Topic(node["WEIR_KAFKA"]).create()
        path = topology(folder, "generator: { rate: 1000, keys: 16 }",
                        timeout="2s", sink=sink(target))
        with Live(path) as live:
            await_that(lambda: arrived(target) > 1000,
                       "the first messages in the topic")
            node.do("kill")
            live.await_log("no broker answers")
            clock = Clock()
            live.send(signal.SIGTERM)
            expect_equal(live.wait(), STUCK, "exit code")
            expect(clock.seconds() < 4, f"took {clock.seconds():.1f} s")
            live.expect_balance()
            expect(live.report["abandoned"] > 0, "nothing was abandoned")
            expect(live.report["done"] > 0, "nothing was done")
            done = live.report["done"]
        node.do("restart")
        found = len(read(target))
        expect(found >= done, f"{done} done, {found} arrived")


def bad_ones():
    """Messages that the topic refuses, each alone, meet the failure policy."""
    broker = harness.broker("WEIR_KAFKA")
    source = Topic(broker).create()
    target = Topic(broker).create("cleanup.policy=compact")
    finish(source.send([b"key:%04d\n" % number for number in range(500)]))
    finish(source.send([b":no key %d\n" % number for number in range(3)], "-Z"))
    finish(source.send([b"key:%04d\n" % number for number in range(500, 1000)]))
    with harness.scratch() as folder:
        path = topology(folder, source.producer(),
                        processors="ordering: partition", sink=sink(target))
        with Live(path, ["--until-end"]) as live:
            live.expect_end(number=None)
            expect_equal([live.report["done"], live.report["rejected"]],
                         [1000, 3], "done and rejected")
    expect_equal(sorted({message["payload"] for message in read(target)}),
                 [f"{number:04d}" for number in range(1000)], "what arrived")


def peak_bytes(live):
    with open(f"/proc/{live.process.pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) * 1024 for line in file
                    if line.startswith("VmHWM:"))


def memory():
    """A broker that stands still, small messages, all that may be under way:
    resident memory stays within `memory` and 32 MiB."""
    harness.skip_if_sanitized()
    with OwnNode("kafka") as node, harness.scratch() as folder:
        target = Topic(node["WEIR_KAFKA"]).create()
        path = topology(folder, "generator: { size: 100B }", timeout="2s",
                        batch_size="1000\n    max_in_flight: 1000",
                        sink=sink(target), failure="{ then: drop }\n"
                        "memory: 64MiB")
        with Live(path) as live:
            await_that(lambda: arrived(target) > 100000,
                       "the first messages in the topic")
            node.do("freeze")
            peaks = [0, peak_bytes(live)]
            while peaks[-1] > peaks[-2]:  # until it holds what it may
                time.sleep(2)
                peaks.append(peak_bytes(live))
            expect(peaks[-1] <= (64 + 32) << 20,
                   f"{peaks[-1] >> 20} MiB resident with `memory: 64MiB`")
            print(f"{peaks[-1] >> 20} MiB")
            node.do("thaw")
            since = arrived(target)
            await_that(lambda: arrived(target) > since, "it goes on")
            live.send(signal.SIGTERM)
            live.wait()
            live.expect_balance()


if __name__ == "__main__":
    harness.main({"through": through, "outages": outages,
                  "sigterm_down": sigterm_down, "bad_ones": bad_ones,
                  "memory": memory})
