"""What is measured: weir and the bare loop in turn, or weir alone."""
import time

import measuring
from stand import PARTITIONS

WINDOWS = (64, 128, 256, 512, 1024, 2048, 4096, 8192)
COMMON_QUEUES = ("queued.min.messages", "queued.max.messages.kbytes")
LARGE_QUEUES = ("queued.min.messages=1000000",
                "queued.max.messages.kbytes=1048576")

TOPOLOGY = """
name: bench
producer:
{producer}
processors:
  handler:
    plugin: {folder}/reader.so
    options: {{ out: {folder}/out, latency: {latency}, wait: {wait} }}
{processors}
{batchers}
failure: {{ then: {policy} }}
log: {{ format: text, level: debug }}
"""


class Row:
    """One line of the table, from runs of one side or of two."""

    def __init__(self, label, unit="messages/s"):
        self.label, self.unit = label, unit
        self.weir, self.bare, self.notes = [], [], []
        self.due = []  # (what, value, is kept)
        self.sides = ("weir", "bare")

    def expect(self, what, value, is_kept):
        self.due.append((what, value, is_kept))

    def ratio(self, name):
        return (measuring.median(self.weir, name)
                / measuring.median(self.bare, name))

    def expect_ratios(self, least_rate):
        rate, cpu = self.ratio("rate"), self.ratio("cpu")
        self.expect(f"rate >= {least_rate:.2f} of bare", f"{rate:.2f}",
                    rate >= least_rate)
        self.expect("CPU <= 1.50 of bare", f"{cpu:.2f}", cpu <= 1.5)


def topology(stand, producer, processors="", batchers="", latency="false",
             policy="drop", wait="0ms"):
    return stand.topology(TOPOLOGY.format(
        producer=producer, processors=processors, batchers=batchers,
        latency=latency, policy=policy, wait=wait, folder=stand.folder))


def values_of(log, prefix):
    """The client's values as weir logged them."""
    marker = f"{prefix}: "
    words = [line.split(marker, 1)[1].strip() for line in log.splitlines()
             if marker in line and "debug" in line]
    return dict(word.split("=", 1) for word in words
                if "=" in word and " " not in word)


def written(values):
    return ", ".join(f"{name}={value}" for name, value in values.items())


# In memory

def memory_run(stand, count, window):
    path = topology(
        stand, f"  generator: {{ size: 100B, count: {count} }}",
        f"  concurrency: 2\n  max_demand: {window}",
        "batchers:\n  default: { batch_size: 100, sink: discard }")
    return measuring.measure(stand.weir_run(path), stand.folder, count)


def in_memory(stand, options):
    count = 2000000 if options.quick else 20000000
    row = Row("in memory, 100 B")
    row.weir = [memory_run(stand, count, 1024) for _ in range(options.runs)]
    best = max(result["rate"] for result in row.weir)
    middle = measuring.median(row.weir, "rate")
    row.expect("at least 5 million/s", f"{middle / 1e6:.2f}", middle >= 5e6)
    row.notes.append(f"fastest run {best / 1e6:.2f} million/s")
    return [row]


def curve(stand, options):
    count = 1000000 if options.quick else 10000000
    rows = []
    for window in WINDOWS:
        row = Row(f"in memory, max_demand {window}")
        row.weir = [memory_run(stand, count, window)
                    for _ in range(options.runs)]
        rows.append(row)
    return rows


# Kafka

def kafka_source(stand, topic):
    return (f"  kafka: {{ brokers: \"{stand.kafka()}\", "
            f"group: {stand.unique('weir')}, topics: {topic} }}")


def weir_kafka(stand, topic, count, **more):
    path = topology(stand, kafka_source(stand, topic), **more)
    return measuring.measure(stand.weir_run(path, "--until-end"),
                             stand.folder, count)


def bare_kafka(stand, topic, count, values):
    return measuring.measure(
        [stand.program("bare_kafka"), stand.kafka(), topic,
         stand.unique("bare"), str(count), f"{stand.folder}/out", *values],
        stand.folder, count)


def same_queues(values):
    """weir's limits hold for each partition, the bare loop's one queue is for
    all of them."""
    return [f"{name}={int(value) * PARTITIONS}" if name in COMMON_QUEUES
            else f"{name}={value}" for name, value in values.items()]


def kafka_rate(stand, options, label, count, size):
    topic = stand.topic(stand.unique(f"rate-{size}"))
    stand.run(stand.fill_kafka(topic, count, size))
    row = Row(f"Kafka, {label}")
    large = Row(f"Kafka, {label}, bare with queues of 1 GiB")
    for _ in range(options.runs):
        row.weir.append(weir_kafka(stand, topic, count))
        values = values_of(row.weir[-1]["log"], "kafka")
        row.bare.append(bare_kafka(stand, topic, count, same_queues(values)))
        large.bare.append(bare_kafka(stand, topic, count, LARGE_QUEUES))
    row.notes.append(f"weir, per partition: {written(values)}")
    row.notes.append("bare: "
                     + ", ".join(row.bare[-1]["log"].splitlines()))
    row.expect_ratios(0.80)
    large.weir = row.weir
    stand.drop_topic(topic)
    return [row, large]


def kafka_small(stand, options):
    return kafka_rate(stand, options, "100 B",
                      1000000 if options.quick else 6000000, 100)


def kafka_large(stand, options):
    return kafka_rate(stand, options, "1 KiB",
                      300000 if options.quick else 1500000, 1024)


# AMQP

def amqp_source(stand, queue):
    return f"  amqp: {{ url: \"{stand.amqp()}\", queue: {queue} }}"


def weir_amqp(stand, queue, count, **more):
    path = topology(stand, amqp_source(stand, queue), policy="reject", **more)
    return measuring.measure(stand.weir_run(path, "--until-end"),
                             stand.folder, count)


def bare_amqp(stand, queue, kind, count, prefetch):
    return measuring.measure(
        [stand.program("bare_amqp"), stand.amqp(), queue, kind, str(count),
         f"{stand.folder}/out", prefetch], stand.folder, count)


def amqp_rate(stand, options, kind):
    count = 100000 if options.quick else 400000
    row = Row(f"AMQP, 100 B, {kind} queue")
    queue = stand.unique(f"rate-{kind}")
    fill = stand.fill_amqp(queue, kind, count, 100)
    for _ in range(options.runs):
        stand.run(fill)
        row.weir.append(weir_amqp(stand, queue, count))
        values = values_of(row.weir[-1]["log"], "amqp")
        stand.run(fill)
        row.bare.append(bare_amqp(stand, queue, kind, count,
                                  values["prefetch"]))
    row.notes.append(f"both: prefetch={values['prefetch']}")
    stand.drop_queue(queue)
    return row


def amqp_quorum(stand, options):
    row = amqp_rate(stand, options, "quorum")
    row.expect_ratios(0.90)
    return [row]


def amqp_classic(stand, options):
    return [amqp_rate(stand, options, "classic")]


# Latency at a low rate

RATE = 100


def at_low_rate(stand, fill, command, count):
    """Messages are made while the command runs; it ends a second after the
    last one, or by itself."""
    process = measuring.Process(command, stand.folder)
    try:
        stand.run(fill)
        time.sleep(1)
        process.ask_to_end()
        process.must_succeed()
    finally:
        process.end()
    result = measuring.read_meters(f"{stand.folder}/out", count)
    return {**result, "cpu": process.cpu_s / count * 1e6, "peak": process.peak,
            "p50_us": measuring.quantile_us(result, 0.50),
            "p99_us": measuring.quantile_us(result, 0.99)}


def latency_row(label, runs, weir, bare):
    row = Row(label, "p99 us")
    for _ in range(runs):
        row.weir.append(weir())
        row.bare.append(bare())
    p99 = {side: measuring.median(results, "p99_us") / 1000
           for side, results in (("weir", row.weir), ("bare", row.bare))}
    p50 = {side: measuring.median(results, "p50_us") / 1000
           for side, results in (("weir", row.weir), ("bare", row.bare))}
    row.expect("p99 at most 5 ms above bare",
               f"{p99['weir'] - p99['bare']:+.2f} ms",
               p99["weir"] - p99["bare"] <= 5)
    row.notes.append(f"p50 weir {p50['weir']:.2f} ms, bare "
                     f"{p50['bare']:.2f} ms; p99 weir {p99['weir']:.2f} ms, "
                     f"bare {p99['bare']:.2f} ms")
    return row


def kafka_latency(stand, options):
    count = RATE * (10 if options.quick else 25)
    bare_values = ("--latency", "fetch.wait.max.ms=100")

    def side(command_of):
        topic = stand.topic(stand.unique("latency"))
        return at_low_rate(
            stand, stand.fill_kafka(topic, count, 100, RATE,
                                    ["linger.ms=0"]),
            command_of(topic), count)

    def weir(topic):
        return stand.weir_run(topology(
            stand, kafka_source(stand, topic), latency="true"))

    def bare(topic):
        return [stand.program("bare_kafka"), stand.kafka(), topic,
                stand.unique("bare"), str(count), f"{stand.folder}/out",
                *bare_values]

    return [latency_row("Kafka, 100 messages/s", options.runs,
                        lambda: side(weir), lambda: side(bare))]


def amqp_latency(stand, options):
    count = RATE * (10 if options.quick else 25)

    def side(command_of):
        queue = stand.unique("latency")
        stand.run(stand.fill_amqp(queue, "quorum", 0, 100))
        return at_low_rate(stand, stand.fill_amqp(queue, "quorum", count, 100,
                                                  RATE),
                           command_of(queue), count)

    def weir(queue):
        return stand.weir_run(topology(
            stand, amqp_source(stand, queue), latency="true",
            policy="reject"))

    def bare(queue):
        return [stand.program("bare_amqp"), stand.amqp(), queue, "quorum",
                str(count), f"{stand.folder}/out", "128", "--latency"]

    return [latency_row("AMQP, 100 messages/s", options.runs,
                        lambda: side(weir), lambda: side(bare))]
