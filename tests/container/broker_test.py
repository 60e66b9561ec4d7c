"""The example's own image between a real broker and a folder of the user."""
import json
import os
import uuid

from container import (HARDENED, expect_equal, harness, main, run,
                       volume)

import access_log_test as example  # noqa: E402
from access_log_lines import SAMPLE, Input, expect_delivered, real_log

RUN = ["run", "--until-end", "--report", "/var/lib/weir/report.json"]


def log():
    """The real one where there is one: 9,999 delivered, 1 rejected."""
    if not os.environ.get("WEIR_TEST_DATA"):
        return Input(SAMPLE)
    found = Input(real_log())
    expect_equal((found.delivered, len(found.rejected)), (9999, 1),
                 "what the real log has")
    return found


def expect_all(lines, topology, **variables):
    """Runs the image as hardened as it may be; the root of it is read-only."""
    options = [word for name, value in variables.items()
               for word in ("-e", f"{name}={value}")]
    with volume("/var/lib/weir") as (folder, mount):
        result = run(*HARDENED, "--memory", "256m", *mount, *options,
                     "access_log", *RUN, f"/etc/weir/{topology}")
        expect_equal(result.returncode, 0,
                     f"exit code; it said {result.stderr.decode()[-3000:]}")
        with open(f"{folder}/report.json", encoding="utf-8") as file:
            report = json.load(file)
        expect_delivered(lines, f"{folder}/requests.ndjson", json.loads)
        expect_equal((report["done"], report["rejected"], report["abandoned"],
                      report["in_flight"]),
                     (lines.delivered, len(lines.rejected), 0, 0), "ledger")


def kafka():
    broker = harness.broker("WEIR_KAFKA")
    from nodes import wire
    topic, lines = f"container-{uuid.uuid4().hex[:12]}", log()
    wire.create_topic(int(broker.rsplit(":", 1)[1]), topic, example.PARTITIONS)
    example.produce(broker, topic, lines.lines)
    expect_all(lines, "topology.yaml", KAFKA_BROKERS=broker,
               KAFKA_TOPIC=topic, KAFKA_GROUP=topic)


def amqp():
    url, lines = harness.broker("WEIR_AMQP"), log()
    queue = f"container-{uuid.uuid4().hex[:12]}"
    with example.channel_to(url) as channel:
        rejected = example.declare(channel, queue, "quorum")
        example.publish(channel, queue, lines.lines)
    expect_all(lines, "amqp.yaml", AMQP_URL=url, AMQP_QUEUE=queue)
    with example.channel_to(url) as channel:
        example.expect_nothing_left(channel, queue)
        expect_equal(example.take_all(channel, rejected, len(lines.rejected)),
                     sorted(lines.rejected), "the rejected lines")
        channel.queue_delete(queue)
        channel.queue_delete(rejected)


if __name__ == "__main__":
    main(kafka, amqp)
