"""SIGTERM at the worst moment: an exit code in time, and a ledger that balances."""
import array
import fcntl
import json
import os
import signal
import socket
import subprocess
import termios
import time

import harness
import live
from harness import await_that, expect, expect_equal

TIMEOUT_S = 1
LATE = 75
PIPE_IS_FULL = 40000  # of 64 KiB, in whole pages: there is room for one more batch
TOPOLOGY = """
name: shutdown
producer: { generator: { size: 100B } }
processors: { handler: %s, concurrency: 4 }
batchers: { default: { batch_timeout: 50ms, sink: stdout } }
failure: { then: drop }
shutdown: { timeout: %ds }
"""
SLOW = """
#include <time.h>
#include <weir/handler.h>

static enum weir_status handle_message(struct weir_message *msg, void *state)
{
    const struct timespec pause = {.tv_nsec = 60000000};

    (void)msg, (void)state;
    (void)nanosleep(&pause, NULL);
    return WEIR_OK;
}

WEIR_HANDLER(slow, .handle_message = handle_message);
"""


def readable(pipe):
    count = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


def late(folder, handler, size):
    """Runs until `size` bytes were delivered, then SIGTERM; nobody reads."""
    topology, report = f"{folder}/topology.yaml", f"{folder}/report.json"
    with open(topology, "w", encoding="utf-8") as file:
        file.write(TOPOLOGY % (handler, TIMEOUT_S))
    with open(f"{folder}/stderr", "wb") as stderr:
        run = subprocess.Popen(
            [os.environ.get("WEIR", "weir"), "run", topology, "--report",
             report], stdout=subprocess.PIPE, stderr=stderr)
    try:
        await_that(lambda: readable(run.stdout) >= size
                   or run.poll() is not None, f"{size} bytes delivered")
        run.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        code = run.wait(harness.WAIT_TIMEOUT_S)
    finally:
        run.kill()
        run.stdout.close()
    took_s = time.monotonic() - begun
    with open(f"{folder}/stderr", encoding="utf-8") as file:
        said = file.read()
    expect_equal(code, LATE, f"exit code; it said:\n{said}")
    expect(took_s < TIMEOUT_S + 5, f"it ended {took_s:.1f} s after SIGTERM")
    with open(report, encoding="utf-8") as file:
        ledger = json.load(file)
    expect(ledger["abandoned"] > 0, "nothing was abandoned")
    expect_equal(ledger["done"] + ledger["rejected"] + ledger["abandoned"],
                 ledger["received"], "the sum of the ledger")


def stuck_sink():
    with harness.scratch() as folder:
        late(folder, "passthrough", PIPE_IS_FULL)


def slow_handler():
    """Callbacks return between the deadline's last steps."""
    with harness.scratch() as folder:
        with open(f"{folder}/slow.c", "w", encoding="utf-8") as file:
            file.write(SLOW)
        subprocess.run([os.environ.get("WEIR", "weir"), "cc", f"{folder}/slow.c",
                        "-o", f"{folder}/slow.so"], check=True,
                       timeout=harness.RUN_TIMEOUT_S)
        late(folder, "{ plugin: ./slow.so }", 1)


def frozen_open(sink_of):
    """SIGTERM while a sink connects to a broker that is frozen: it accepts the
    connection, and says nothing."""
    with harness.scratch() as folder, socket.create_server(
            ("127.0.0.1", 0)) as broker:
        broker.settimeout(harness.WAIT_TIMEOUT_S)
        path = live.topology(
            folder, "stdin: {}", timeout=f"{TIMEOUT_S}s",
            sink=sink_of(f"127.0.0.1:{broker.getsockname()[1]}"))
        with live.Live(path, stdin=subprocess.PIPE) as run:
            connection, _ = broker.accept()
            with connection:
                connection.settimeout(harness.WAIT_TIMEOUT_S)
                connection.recv(1)  # the first words: it waits for an answer
                run.process.stdin.write(b"line\n" * 100)
                run.process.stdin.flush()
                await_that(lambda: readable(run.process.stdin) == 0,
                           "the lines are read")
                clock = live.Clock()
                run.expect_end(LATE)
                expect(clock.seconds() < TIMEOUT_S + 5,
                       f"it ended {clock.seconds():.1f} s after SIGTERM")
                expect(run.report["abandoned"] > 0, "nothing was abandoned")
                expect_equal(run.report["done"], 0, "done")


def frozen_open_kafka():
    frozen_open(lambda place: f"{{ kafka: {{ brokers: '{place}', topic: t }} }}")


def frozen_open_amqp():
    frozen_open(lambda place: f"{{ amqp: {{ url: 'amqp://{place}', "
                              "routing_key: t } }")


if __name__ == "__main__":
    harness.main({"stuck_sink": stuck_sink, "slow_handler": slow_handler,
                  "frozen_open_kafka": frozen_open_kafka,
                  "frozen_open_amqp": frozen_open_amqp})
