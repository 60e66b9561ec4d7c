"""The main job: an access log through a real broker, the handler and a file.

Each test sends the log once as it is, and once with lines between that are no
log lines, and compares what arrives line by line.
"""
import base64
import contextlib
import json
import struct
import subprocess
import uuid

import harness
from access_log_lines import (Input, NOT_LOG_LINES, SAMPLE,
                              expect_counts_of_real_log, expect_delivered,
                              real_log)
from harness import Run, await_that, expect, expect_equal

PARTITIONS = 4
OFFSET_FETCH, LIST_OFFSETS = (9, 2), (2, 1)


def inputs(path):
    plain, mixed = Input(path), Input(path, NOT_LOG_LINES)
    if path != SAMPLE:
        expect_counts_of_real_log(plain)
    expect_equal(len(mixed.rejected), len(plain.rejected) + len(NOT_LOG_LINES),
                 "lines that are none, by the test's own count")
    return plain, mixed


def check(run, log, out):
    run.expect_ledger(done=log.delivered, rejected=len(log.rejected))
    expect_delivered(log, out, json.loads)
    if len(log.rejected) == 1:
        # The one that was cut off; of many, the log names some and counts.
        reason = f"column {len(log.rejected[0]) + 1}: agent: no closing quote"
        expect(reason in run.log, f"the log does not say {reason!r}")


def received(letter):
    if "payload_base64" in letter:
        return base64.b64decode(letter["payload_base64"])
    return letter["payload"].encode()


def check_letters(log, path):
    """What is no log line, byte for byte, and why it is none."""
    with open(path, encoding="utf-8") as file:
        letters = [json.loads(line) for line in file]
    expect_equal(sorted(map(received, letters)), sorted(log.rejected),
                 "dead letters")
    for letter in letters:
        headers = {header["name"]: header["value"]
                   for header in letter["headers"]}
        expect_equal(headers["weir-code"], "rejected", "weir-code")
        expect(headers["weir-reason"].startswith("column "),
               f"the reason is {headers['weir-reason']}")


# Standard input.

def stdin(path):
    for log in inputs(path):
        with harness.scratch() as folder:
            with open(f"{folder}/in", "wb") as file:
                file.write(b"".join(line + b"\n" for line in log.lines))
            with open(f"{folder}/in", "rb") as source, \
                    open(f"{folder}/out", "wb") as out:
                run = Run(f"{harness.ACCESS_LOG}/stdin.yaml", folder,
                          stdin=source, stdout=out)
            check(run, log, f"{folder}/out")


# Kafka.

def kafka_offsets(port, api, head, topic, partition_body):
    """One request about all partitions; the readers take one partition's."""
    from nodes import wire
    body = head + struct.pack(">i", 1) + wire.text(topic)
    body += struct.pack(">i", PARTITIONS)
    body += b"".join(struct.pack(">i", index) + partition_body
                     for index in range(PARTITIONS))
    reader = wire.call(port, api, body)

    def committed():
        index, offset = reader.number("i"), reader.number("q")
        reader.text()
        return index, offset, reader.number("h")

    def end():
        index, error = reader.number("i"), reader.number("h")
        reader.number("q")
        return index, reader.number("q"), error

    read = committed if api == OFFSET_FETCH else end
    topics = reader.array(lambda: (reader.text(), reader.array(read)))
    (_, partitions), = topics
    expect(all(error == 0 for _, _, error in partitions),
           f"the broker answers with an error: {partitions}")
    return {index: offset for index, offset, _ in partitions}


def produce(broker, topic, lines):
    """Line n to partition n % 4, as they are."""
    for index in range(PARTITIONS):
        part = lines[index::PARTITIONS]
        subprocess.run(["kcat", "-q", "-b", broker, "-P", "-t", topic, "-p",
                        str(index), "-X", "acks=all"], check=True, timeout=60,
                       input=b"".join(line + b"\n" for line in part))


def kafka(path):
    broker = harness.broker("WEIR_KAFKA")
    from nodes import wire
    port = int(broker.rsplit(":", 1)[1])
    for log in inputs(path):
        topic = f"access-log-{uuid.uuid4().hex[:12]}"
        wire.create_topic(port, topic, PARTITIONS)
        produce(broker, topic, log.lines)
        with harness.scratch() as folder:
            run = Run(f"{harness.ACCESS_LOG}/kafka.yaml", folder,
                      {"KAFKA_BROKERS": broker, "KAFKA_TOPIC": topic,
                       "KAFKA_GROUP": topic,
                       "ACCESS_LOG_OUT": f"{folder}/out",
                       "ACCESS_LOG_REJECTED": f"{folder}/rejected"},
                      ["--until-end"])
            check(run, log, f"{folder}/out")
            check_letters(log, f"{folder}/rejected")
        ends = kafka_offsets(port, LIST_OFFSETS, struct.pack(">i", -1), topic,
                             struct.pack(">q", -1))
        expect_equal(sum(ends.values()), len(log.lines), "messages sent")
        expect_equal(kafka_offsets(port, OFFSET_FETCH, wire.text(topic), topic,
                                   b""), ends, "the group's offsets")


def read_topic(broker, topic):
    read = subprocess.run(["kcat", "-q", "-E", "-b", broker, "-C", "-t", topic,
                           "-o", "beginning", "-e"], check=True, timeout=60,
                          stdout=subprocess.PIPE)
    return read.stdout.splitlines(keepends=True)


def kafka_to_kafka(path):
    broker = harness.broker("WEIR_KAFKA")
    from nodes import wire
    port = int(broker.rsplit(":", 1)[1])
    for log in inputs(path):
        topic = f"access-log-{uuid.uuid4().hex[:12]}"
        wire.create_topic(port, topic, PARTITIONS)
        for digit in range(1, 6):
            wire.create_topic(port, f"{topic}-{digit}xx", 1)
        produce(broker, topic, log.lines)
        with harness.scratch() as folder:
            run = Run(f"{harness.ACCESS_LOG}/kafka_to_kafka.yaml", folder,
                      {"KAFKA_BROKERS": broker, "KAFKA_TOPIC": topic,
                       "KAFKA_GROUP": topic, "KAFKA_OUT": topic},
                      ["--until-end"])
            with open(f"{folder}/out", "wb") as out:
                for digit in range(1, 6):
                    lines = read_topic(broker, f"{topic}-{digit}xx")
                    out.writelines(lines)
                    expect(all(json.loads(line)["status"] // 100 == digit
                               for line in lines),
                           f"another class in {topic}-{digit}xx")
            check(run, log, f"{folder}/out")


# AMQP.

@contextlib.contextmanager
def channel_to(url):
    import pika
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        yield connection.channel()
    finally:
        connection.close()


def declare(channel, queue, kind):
    """A queue, and one for what is rejected from it."""
    rejected = f"{queue}.rejected"
    channel.queue_declare(rejected, durable=True)
    channel.queue_declare(queue, durable=True, arguments={
        "x-queue-type": kind, "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": rejected})
    return rejected


def publish(channel, queue, lines):
    import pika
    persistent = pika.BasicProperties(delivery_mode=2)
    for line in lines:
        channel.basic_publish("", queue, line, persistent)
    await_count(channel, queue, len(lines))


def count(channel, queue):
    return channel.queue_declare(queue, passive=True).method.message_count


def await_count(channel, queue, expected):
    await_that(lambda: count(channel, queue) == expected,
               f"{expected} messages in {queue}")


def take_all(channel, queue, expected):
    await_count(channel, queue, expected)
    return sorted(channel.basic_get(queue, auto_ack=True)[2]
                  for _ in range(expected))


def expect_nothing_left(channel, queue):
    """An unacknowledged message would be ready again without its consumer."""
    await_that(lambda: channel.queue_declare(
        queue, passive=True).method.consumer_count == 0,
        f"{queue} without a consumer")
    expect_equal(count(channel, queue), 0, "messages left in the queue")


def amqp(path, kind):
    url = harness.broker("WEIR_AMQP")
    for log in inputs(path):
        queue = f"access-log-{uuid.uuid4().hex[:12]}"
        with channel_to(url) as channel:
            rejected = declare(channel, queue, kind)
            publish(channel, queue, log.lines)
        with harness.scratch() as folder:
            run = Run(f"{harness.ACCESS_LOG}/amqp.yaml", folder,
                      {"AMQP_URL": url, "AMQP_QUEUE": queue,
                       "ACCESS_LOG_OUT": f"{folder}/out"}, ["--until-end"])
            check(run, log, f"{folder}/out")
        with channel_to(url) as channel:
            expect_nothing_left(channel, queue)
            expect_equal(take_all(channel, rejected, len(log.rejected)),
                         sorted(log.rejected), "the rejected lines")
            channel.queue_delete(queue)
            channel.queue_delete(rejected)


CASES = {
    "stdin": stdin,
    "kafka": kafka,
    "kafka_to_kafka": kafka_to_kafka,
    "amqp_classic": lambda path: amqp(path, "classic"),
    "amqp_quorum": lambda path: amqp(path, "quorum"),
}

if __name__ == "__main__":
    tests = {}
    for name, case in CASES.items():
        tests[name] = lambda case=case: case(SAMPLE)
        tests[f"{name}_real"] = lambda case=case: case(real_log())
    harness.main(tests)
