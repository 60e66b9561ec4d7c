"""Sinks: weir's generator into a destination, and the bare client's loop.

Rates are those of the destination: from the first message that it has to the
last, by its own clock.
"""
import json

import measuring
from rows import Row, values_of, written
from stand import PARTITIONS

# Values that are the same on both sides; weir logs what its client has.
SAFE = ("acks=all", "message.timeout.ms=0", "partitioner=murmur2_random")
TOPOLOGY = """
name: bench
producer: {{ generator: {{ size: {size}B, count: {count} }} }}
processors: {{ handler: passthrough, concurrency: 1 }}
batchers:
  default:
{batcher}
    sink: {{ kafka: {{ brokers: "{brokers}", topic: {topic} }} }}
failure: {{ then: drop }}
log: {{ format: text, level: debug }}
"""
FULL = "    batch_size: 1000\n    max_in_flight: 16"
DEFAULT = "    batch_size: 100"


def span_of(stand, topic, count):
    said = stand.run([stand.program("topic_span"), stand.kafka(), topic,
                      str(PARTITIONS)]).log()
    found = json.loads(said.splitlines()[-1])
    if found["count"] != count:
        raise measuring.Failed(f"{found['count']} messages of {count} arrived")
    return found["seconds"]


def delivered(stand, count, command_of):
    topic = stand.topic(stand.unique("sink"),
                        "message.timestamp.type=LogAppendTime")
    process = stand.run(command_of(topic))
    log = process.log()
    result = {"rate": count / span_of(stand, topic, count),
              "cpu": process.cpu_s / count * 1e6, "peak": process.peak,
              "log": log}
    stand.drop_topic(topic)
    return result


def weir_to_kafka(stand, count, size, batcher):
    def command_of(topic):
        return stand.weir_run(stand.topology(TOPOLOGY.format(
            size=size, count=count, batcher=batcher, brokers=stand.kafka(),
            topic=topic)))
    return delivered(stand, count, command_of)


def bare_to_kafka(stand, count, size, values):
    def command_of(topic):
        return [stand.program("bare_kafka_sink"), stand.kafka(), topic,
                str(count), str(size), *SAFE,
                *(f"{name}={value}" for name, value in values.items())]
    return delivered(stand, count, command_of)


def kafka_sink_of(stand, options, label, count, size):
    row = Row(f"Kafka sink, {label}")
    plain = Row(f"Kafka sink, {label}, batches of 100, one at a time")
    # A broker that has just started takes a third of what it takes later.
    weir_to_kafka(stand, count, size, FULL)
    for _ in range(options.runs):
        row.weir.append(weir_to_kafka(stand, count, size, FULL))
        values = values_of(row.weir[-1]["log"], "kafka")
        row.bare.append(bare_to_kafka(stand, count, size, values))
        plain.weir.append(weir_to_kafka(stand, count // 10, size, DEFAULT))
    row.notes.append(f"both: {', '.join(SAFE)}, {written(values)}")
    row.expect_ratios(0.85)
    return [row, plain]


def kafka_sink(stand, options):
    return (kafka_sink_of(stand, options, "100 B",
                          1000000 if options.quick else 6000000, 100)
            + kafka_sink_of(stand, options, "1 KiB",
                            300000 if options.quick else 1500000, 1024))
