"""G5: what is resident at most while a destination stands still.

Every line is the same: zstd makes 1 KiB messages of them 250 times smaller.
"""
import measuring
from rows import Row, amqp_source, kafka_source, topology

MIB = 1024 * 1024
BUDGET, ALLOWED = 128 * MIB, 32 * MIB
SETTINGS = f"memory: {BUDGET // MIB}MiB\n"
STALLED = "batchers:\n  default: { batch_size: 100 }\n" + SETTINGS
KAFKA_SIZES = ((100, "100 B"), (1024, "1 KiB"), (MIB, "1 MiB"))
AMQP_SIZES = ((100, "100 B"), (1024, "1 KiB"), (65536, "64 KiB"))
CODECS = ("none", "lz4", "zstd")


def stalled(stand, label, path, options):
    """Until nothing has grown for a while; then there is nothing to wait for."""
    process = measuring.Process(stand.weir_run(path), stand.folder)
    try:
        measuring.settle(process, 4 if options.quick else 10, 120)
        if process.has_ended():
            raise measuring.Failed(f"weir ended:\n{process.log()[-2000:]}")
    finally:
        process.end()
    row = Row(f"memory 128MiB, {label}", "MiB")
    row.weir = [{"peak": process.peak}]
    row.expect("at most 160 MiB", f"{process.peak / MIB:.0f} MiB",
               process.peak <= BUDGET + ALLOWED)
    return row


def kafka_memory(stand, options):
    total = (256 if options.quick else 1024) * MIB
    rows = []
    for size, label in KAFKA_SIZES:
        for codec in CODECS:
            topic = stand.topic(stand.unique(f"stall-{size}-{codec}"),
                                f"max.message.bytes={4 * MIB}")
            stand.run(stand.fill_kafka(topic, total // size, size, 0,
                                       ["identical",
                                        f"compression.codec={codec}"]))
            path = topology(stand, kafka_source(stand, topic),
                            batchers=STALLED)
            rows.append(stalled(stand, f"Kafka, {label}, {codec}", path,
                                options))
            stand.drop_topic(topic)
    return rows


def amqp_memory(stand, options):
    rows = []
    for size, label in AMQP_SIZES:
        total = min((256 if options.quick else 1024) * MIB, size * 1000000)
        queue = stand.unique(f"stall-{size}")
        stand.run(stand.fill_amqp(queue, "classic", total // size, size))
        path = topology(
            stand, amqp_source(stand, queue) + "\n  max_message_bytes: 64KiB",
            batchers=STALLED, policy="reject")
        rows.append(stalled(stand, f"AMQP, {label}", path, options))
        stand.drop_queue(queue)
    return rows
