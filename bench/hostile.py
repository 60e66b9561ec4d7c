"""What clients of the admin interface that mean no good cost the pipeline.

weir has the first core for itself, all of it: its rate is what that core does for
messages. The clients have the second one. So what they use themselves isn't counted,
and what they make weir do is.

usage: hostile.py PORT     the clients, until they are ended
"""
import asyncio
import subprocess
import sys

import measuring
import rows
from stand import ROOT

sys.path.insert(0, f"{ROOT}/scripts")
from nodes.process import free_ports  # noqa: E402

CLIENTS = 200
SERVED, OTHER = 0, 1  # cores
PAUSE_S = 0.05
PAGE = b"GET /api/v1/explain HTTP/1.1\r\nHost: localhost\r\n\r\n"
HALF = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: "
HUGE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100000


async def ask(reader, writer):
    """The largest page, again and again, over one connection."""
    while True:
        writer.write(PAGE)
        await writer.drain()
        if not await reader.read(65536):
            return


async def ask_once(reader, writer):
    """And another connection for the next one."""
    writer.write(PAGE)
    await writer.drain()
    await reader.read(65536)


async def say_half(reader, writer):
    """A request that doesn't end, a byte at a time."""
    writer.write(HALF)
    while not reader.at_eof():
        await asyncio.sleep(PAUSE_S)
        writer.write(b"x")
        await writer.drain()


async def say_too_much(reader, writer):
    writer.write(HUGE)
    await writer.drain()
    await reader.read()


async def say_nothing(reader, writer):
    del writer
    await reader.read()


KINDS = (ask, ask_once, say_half, say_too_much, say_nothing)


async def client(port, kind):
    while True:
        writer = None
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await kind(reader, writer)
        except OSError:
            await asyncio.sleep(PAUSE_S)
        finally:
            if writer:
                writer.transport.abort()


async def crowd(port):
    await asyncio.gather(*(client(port, KINDS[number % len(KINDS)])
                           for number in range(CLIENTS)))


class Crowd:
    """They are there before weir is, and go on until the end."""

    def __init__(self, port):
        self.port, self.process = port, None

    def __enter__(self):
        self.process = subprocess.Popen(
            ["taskset", "-c", str(OTHER), sys.executable, "-B", __file__,
             str(self.port)], stdin=subprocess.DEVNULL)
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait()

    def check(self):
        if self.process.poll() is not None:
            raise measuring.Failed("the clients have ended")


def pinned_run(stand, count):
    path = rows.topology(
        stand, f"  generator: {{ size: 100B, count: {count} }}",
        "  concurrency: 2",
        "batchers:\n  default: { batch_size: 100, sink: discard }")
    return ["taskset", "-c", str(SERVED), *stand.weir_run(path)]


def measure(stand, command, count, port):
    """With what answering used, of all of its CPU."""
    return measuring.measure_share(command, stand.folder, count,
                                   ("weir-admin",),
                                   {"WEIR_ADMIN": f"127.0.0.1:{port}"})


def hostile(stand, options):
    count = 20000000 if options.quick else 60000000
    [port] = free_ports(1)
    row = rows.Row(f"in memory, {CLIENTS} hostile clients (bare: none)")
    command = pinned_run(stand, count)
    for _ in range(options.runs):
        row.bare.append(measure(stand, command, count, port))
        with Crowd(port) as clients:
            row.weir.append(measure(stand, command, count, port))
            clients.check()
    ratio = row.ratio("rate")
    row.notes.append("of weir's CPU, answering them: "
                     f"{measuring.median(row.weir, 'share') * 100:.1f} %")
    row.expect("rate >= 0.95 of that without them", f"{ratio:.3f}",
               ratio >= 0.95)
    return [row]


if __name__ == "__main__":
    asyncio.run(crowd(int(sys.argv[1])))
