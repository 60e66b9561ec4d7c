"""What a running weir sends by StatsD, to a receiver as simple as they come."""
import math
import os
import re
import signal
import socket
import sys
import unittest

sys.path.insert(0, f"{os.environ['WEIR_SOURCE']}/tests/admin")
import running  # noqa: E402

LINE = re.compile(r"([A-Za-z0-9_.-]+):([0-9.]+)\|(c|g|ms)(?:\|@([0-9.]+))?"
                  r"\|#((?:[a-z_]+:[^|,:#@\s]+)(?:,[a-z_]+:[^|,:#@\s]+)*)")
SAMPLE = re.compile(r"(\w+)\{(.*)\} (\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
PACKET_MOST = 1432
# What goes on while nothing is handled.
RESTLESS = ("process_cpu_seconds_total", "process_resident_memory_bytes")
FAILING = """\
#include <weir/handler.h>

static enum weir_status handle_message(struct weir_message *msg, void *state)
{
    (void)state;
    return weir_message_offset(msg) % 4 == 0
               ? weir_message_reject(msg, "a fourth one") : WEIR_OK;
}

WEIR_HANDLER(failing, .handle_message = handle_message);
"""


class Receiver:
    """Adds counters up, keeps the last of a gauge, counts timings."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.values, self.rounds, self.largest = {}, 0, 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def take(self, line):
        match = LINE.fullmatch(line)
        assert match, f"no line of StatsD: {line!r}"
        name, value, kind, rate, tags = match.groups()
        key = (name, kind, frozenset(tags.split(",")))
        value, count = float(value), 1 / float(rate or 1)
        if name.endswith(".build_info"):
            self.rounds += 1
        if kind == "g":
            self.values[key] = value
        elif kind == "c":
            self.values[key] = self.values.get(key, 0) + value
        else:
            before = self.values.get(key, (0, 0))
            self.values[key] = (before[0] + count, before[1] + count * value)

    def read(self):
        """All that is there."""
        while True:
            try:
                packet = self.socket.recv(65536, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            self.largest = max(self.largest, len(packet))
            for line in packet.decode().split("\n"):
                self.take(line)

    def await_rounds(self, more):
        self.read()
        wanted = self.rounds + more

        def have_come():
            self.read()
            return self.rounds >= wanted
        running.await_that(have_come, f"{more} rounds of metrics")


def telemetry(port, interval="100ms", host="127.0.0.1"):
    return (f"telemetry: {{ statsd: {{ address: \"{host}:{port}\", "
            f"interval: {interval} }} }}")


def samples_of(page):
    """{(name, {tag}): number} of /metrics."""
    samples = {}
    for line in page.splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = SAMPLE.fullmatch(line).groups()
        tags = frozenset(f"{label}:{text}" for label, text in
                         LABEL.findall(labels) if label != "le")
        if 'le="' not in labels:
            samples[name, tags] = float(value)
    return samples


def expected(samples):
    """The same, as StatsD has it: timings as number and sum in milliseconds."""
    wanted = {}
    for (name, tags), value in samples.items():
        short = "weir." + name.removeprefix("weir_")
        if name.endswith("_count"):
            base = name.removesuffix("_count")
            if value > 0:
                wanted[short.removesuffix("_seconds_count"), "ms", tags] = (
                    value, samples[f"{base}_sum", tags] * 1000)
        elif name.endswith("_total"):
            if value > 0:
                wanted[short.removesuffix("_total"), "c", tags] = value
        elif not name.endswith("_sum"):
            wanted[short, "g", tags] = value
    return wanted


def is_alike(found, wanted):
    if isinstance(wanted, tuple):
        return (isinstance(found, tuple)
                and math.isclose(found[0], wanted[0], rel_tol=1e-6)
                and math.isclose(found[1], wanted[1], rel_tol=1e-3,
                                 abs_tol=0.01 * wanted[0]))
    return found is not None and math.isclose(found, wanted, rel_tol=1e-6,
                                              abs_tol=1e-6)


class StatsdTest(unittest.TestCase):
    def setUp(self):
        self.scratch = running.folder()
        self.addCleanup(self.scratch.cleanup)
        self.folder = self.scratch.name

    def failing_handler(self):
        source, built = f"{self.folder}/failing.c", f"{self.folder}/failing.so"
        with open(source, "w", encoding="utf-8") as file:
            file.write(FAILING)
        running.subprocess.run([running.WEIR, "cc", source, "-o", built],
                               check=True)
        return f"{{ plugin: {built} }}"

    def assert_same(self, run, receiver):
        """While nothing moves."""
        samples = {key: value for key, value in
                   samples_of(run.get("/metrics")).items()
                   if key[0] not in RESTLESS}
        wanted = expected(samples)
        self.assertGreater(len(wanted), 30)
        for key, value in wanted.items():
            found = receiver.values.get(key)
            self.assertTrue(is_alike(found, value), f"{key}: {found}, {value} "
                            f"by /metrics; there are {receiver.values}")
        unknown = {name for name, _, _ in receiver.values} - {
            name for name, _, _ in wanted} - {
            "weir." + name.removesuffix("_total") for name in RESTLESS}
        self.assertEqual(unknown, set())

    def test_values_are_those_of_metrics(self):
        with Receiver() as receiver, running.Running(
                self.folder, handler=self.failing_handler(),
                more=telemetry(receiver.port)) as run:
            run.await_ready()
            receiver.await_rounds(3)
            run.change("/api/v1/pause")
            running.await_that(lambda: samples_of(run.get("/metrics"))[
                "weir_messages_in_flight",
                frozenset({"pipeline:watched"})] == 0, "nothing in flight")
            receiver.await_rounds(2)
            self.assert_same(run, receiver)
            self.assertLessEqual(receiver.largest, PACKET_MOST)
            key = ("weir.rejections", "c",
                   frozenset({"pipeline:watched", "reason:handler"}))
            self.assertGreater(receiver.values[key], 0)

    def test_every_metric_is_described(self):
        with open(f"{running.SOURCE}/docs/telemetry.md", encoding="utf-8") as file:
            described = set(re.findall(r"`((?:weir|process)_[a-z_]+)`", file.read()))
        with running.Running(self.folder, more=(
                "telemetry: { statsd: {} }")) as run:
            run.await_ready()
            families = set(re.findall(r"^# TYPE (\S+)", run.get("/metrics"), re.M))
        self.assertEqual(families - described, set())

    def test_what_came_last_is_sent_at_the_end(self):
        with Receiver() as receiver, running.Running(
                self.folder, producer="generator: { count: 5000 }",
                more=telemetry(receiver.port, "1h")) as run:
            self.assertEqual(run.process.wait(running.PATIENCE_S), 0)
            receiver.read()
            tags = frozenset({"pipeline:watched"})
            for name in ("received", "done"):
                self.assertEqual(receiver.values.get(
                    (f"weir.messages_{name}", "c", tags)), 5000)
            self.assertAlmostEqual(receiver.values[
                "weir.message_latency", "ms", tags][0], 5000, 3)

    def test_a_hostile_name_breaks_neither_form(self):
        name = "\"a\\\"b|c#d:1,e@2\\n\\\\ü\""
        with Receiver() as receiver, running.Running(
                self.folder, name=name.replace("\\n", ""), file="hostile",
                more=telemetry(receiver.port)) as run:
            receiver.await_rounds(2)
            tags = {tag for _, _, all_tags in receiver.values
                    for tag in all_tags if tag.startswith("pipeline:")}
            self.assertEqual(tags, {'pipeline:a"b_c_d_1_e_2\\ü'})
            labels = {dict(LABEL.findall(line))["pipeline"] for line in
                      run.get("/metrics").splitlines() if line[0] != "#"}
            self.assertEqual(labels, {'a\\"b|c#d:1,e@2\\\\ü'})

    def test_where_nobody_listens_it_runs_on_and_says_so_once(self):
        with Receiver() as gone:
            port = gone.port
        with running.Running(self.folder, producer="generator: { count: 200000 }",
                             sink="discard", more=telemetry(port)) as run:
            self.assertEqual(run.process.wait(running.PATIENCE_S), 0)
            self.assertEqual(run.log.count("nobody listens there"), 1, run.log)

    def test_a_name_that_nobody_knows_is_a_warning(self):
        with running.Running(self.folder, more=telemetry(
                8125, host="nowhere.invalid")) as run:
            run.await_ready()
            run.await_log(r"telemetry.statsd: nowhere\.invalid:8125: .+")
            run.process.send_signal(signal.SIGTERM)
            self.assertEqual(run.process.wait(running.PATIENCE_S), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
