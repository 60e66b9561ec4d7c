"""What more processors, more members and more partitions bring, and cost.

The handler waits, as one does that asks a database: how many wait at the same time
decides, and not how fast a core is, so that a small machine shows it, too.
"""
import measuring
from memory import STALLED, stalled
from rows import Row, kafka_source, topology

WAIT_MS, WORKERS_OF_A_MEMBER = 5, 8
WORKERS, MEMBERS, PARTITIONS = (1, 8, 64), (1, 2, 4, 8), (1, 16, 64, 256)
MIB = 1024 * 1024


def waiting(stand, source, workers):
    """A topology whose workers wait; as many at the same time as there are."""
    return topology(stand, source, f"  concurrency: {workers}\n"
                    "  ordering: none", wait=f"{WAIT_MS}ms")


def expect_share(row, workers):
    """Of what so many workers could do if nothing but waiting took time."""
    best = workers * 1000 / WAIT_MS
    share = measuring.median(row.weir, "rate") / best
    row.notes.append(f"{share * 100:.0f} % of {best:,.0f}")


def kafka_workers(stand, options):
    rows = []
    for workers in WORKERS:
        count = workers * (400 if options.quick else 2000)
        topic = stand.topic(stand.unique("workers"))
        stand.run(stand.fill_kafka(topic, count, 100))
        row = Row(f"Kafka, {WAIT_MS} ms each, {workers} processors")
        for _ in range(options.runs):
            path = waiting(stand, kafka_source(stand, topic), workers)
            row.weir.append(measuring.measure(
                stand.weir_run(path, "--until-end"), stand.folder, count))
        expect_share(row, workers)
        stand.drop_topic(topic)
        rows.append(row)
    return rows


def group(stand, topic, members, count):
    """Members of one group, started together; one result for all."""
    path = waiting(stand, kafka_source(stand, topic), WORKERS_OF_A_MEMBER)
    started = [measuring.Process(stand.weir_run(path, "--until-end"),
                                 stand.folder) for _ in range(members)]
    try:
        for process in started:
            process.must_succeed()
    finally:
        for process in started:
            process.end()
    cpu = sum(process.cpu_s for process in started) / count * 1e6
    return {**measuring.read_meters(f"{stand.folder}/out", count), "cpu": cpu,
            "peak": max(process.peak for process in started)}


def kafka_members(stand, options):
    rows = []
    for members in MEMBERS:
        workers = members * WORKERS_OF_A_MEMBER
        count = workers * (1000 if options.quick else 5000)
        topic = stand.topic(stand.unique("members"), partitions=max(MEMBERS))
        stand.run(stand.fill_kafka(topic, count, 100, partitions=max(MEMBERS)))
        row = Row(f"Kafka, {WAIT_MS} ms each, {members} members of "
                  f"{WORKERS_OF_A_MEMBER}")
        row.weir = [group(stand, topic, members, count)
                    for _ in range(options.runs)]
        expect_share(row, workers)
        stand.drop_topic(topic)
        rows.append(row)
    return rows


def kafka_partitions(stand, options):
    """Resident at most, of 128 MiB, while a destination stands still."""
    rows = []
    for partitions in PARTITIONS:
        topic = stand.topic(stand.unique("partitions"), partitions=partitions)
        total = (128 if options.quick else 512) * MIB
        stand.run(stand.fill_kafka(topic, total // 1024, 1024,
                                   partitions=partitions))
        path = topology(stand, kafka_source(stand, topic), batchers=STALLED)
        rows.append(stalled(stand, f"Kafka, 1 KiB, {partitions} partitions",
                            path, options))
        stand.drop_topic(topic)
    return rows
