"""The AMQP sink, and a bare confirm loop with the same window."""
import json
import os
import time

import measuring
from rows import Row, topology

WINDOW = 1000
BATCHERS = """batchers:
  default:
    batch_size: {window}
    max_in_flight: 8
    sink: {{ amqp: {{ url: "{url}", routing_key: {queue}, window: {window} }} }}
"""


def measured(stand, command, count):
    """From the first message handled to the end of the process: everything is
    confirmed then, on either side."""
    process = measuring.run(command, stand.folder)
    end = time.monotonic()
    with open(f"{stand.folder}/out", encoding="utf-8") as file:
        meters = [json.loads(line) for line in file]
    os.unlink(f"{stand.folder}/out")
    begin = min(meter["first_ns"] for meter in meters) / 1e9
    return {"rate": count / (end - begin), "peak": process.peak,
            "cpu": process.cpu_s / count * 1e6, "log": process.log()}


def weir(stand, queue, count):
    path = topology(
        stand, f"  generator: {{ size: 100B, count: {count} }}",
        "  concurrency: 1",
        BATCHERS.format(url=stand.amqp(), queue=queue, window=WINDOW))
    return measured(stand, stand.weir_run(path), count)


def bare(stand, queue, kind, count):
    return measured(stand, [
        stand.program("bare_amqp_sink"), stand.amqp(), queue, kind, str(count),
        f"{stand.folder}/out", str(WINDOW)], count)


def rate(stand, options, kind):
    count = 100000 if options.quick else 300000
    row = Row(f"AMQP sink, 100 B, {kind} queue")
    for _ in range(options.runs):
        for side in ("weir", "bare"):
            queue = stand.unique(f"sink-{kind}")
            stand.run(stand.fill_amqp(queue, kind, 0, 100))
            result = weir(stand, queue, count) if side == "weir" else \
                bare(stand, queue, kind, count)
            getattr(row, side).append(result)
            stand.drop_queue(queue)
    row.notes.append(f"both: at most {WINDOW} unconfirmed")
    row.expect_ratios(0.90)
    return row


def amqp_sink(stand, options):
    return [rate(stand, options, kind) for kind in ("quorum", "classic")]
