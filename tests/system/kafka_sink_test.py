"""From one Kafka topic to another: what came in goes out, all of it."""
import json
import subprocess

import harness
from harness import expect_equal
from live import Live, topology
from topic import Topic, texts

COUNT = 20000


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
    expect_equal(found, {f"k{key}": texts(range(key, count, 16))
                         for key in range(16)}, "messages by key")
    source.expect_all_committed()


if __name__ == "__main__":
    harness.main({"through": through})
