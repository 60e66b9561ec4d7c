"""Clients that mean no good: they are cut, and the pipeline doesn't notice."""
import os
import socket
import subprocess
import sys
import threading
import time
import unittest

import running

TICKS = os.sysconf("SC_CLK_TCK")


def admin_cpu_s(pid):
    """What the thread that answers has used of a core."""
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/stat", encoding="utf-8") as file:
            name, rest = file.read().rsplit(")", 1)
        if name.endswith("(weir-admin"):
            fields = rest.split()
            return (int(fields[11]) + int(fields[12])) / TICKS
    raise AssertionError("there is no thread weir-admin")


def connect(port):
    return socket.create_connection(("127.0.0.1", port), running.PATIENCE_S)


class Askers:
    """So many clients that ask without a pause for the largest page."""

    def __init__(self, port, count):
        self.port, self.is_over, self.answers = port, False, 0
        self.threads = [threading.Thread(target=self.ask) for _ in range(count)]

    def ask(self):
        request = b"GET /api/v1/explain HTTP/1.1\r\nHost: localhost\r\n\r\n"
        while not self.is_over:
            try:
                with connect(self.port) as one:
                    while not self.is_over:
                        one.sendall(request)
                        if not one.recv(65536):
                            break
                        self.answers += 1
            except OSError:
                pass

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self.is_over = True
        for thread in self.threads:
            thread.join()


class Slow:
    """A client that sends a byte now and then, until it is cut."""

    def __init__(self, port):
        self.one, self.lasted_s = connect(port), None
        self.one.settimeout(0.5)
        self.thread = threading.Thread(target=self.send)
        self.thread.start()

    def send(self):
        begin = time.monotonic()
        self.one.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ")
        while self.lasted_s is None and time.monotonic() < begin + running.PATIENCE_S:
            try:
                self.one.sendall(b"x")
                is_open = self.one.recv(100) != b""
            except TimeoutError:
                is_open = True
            except OSError:
                is_open = False
            if not is_open:
                self.lasted_s = time.monotonic() - begin
        self.one.close()


class HostileTest(unittest.TestCase):
    def setUp(self):
        folder = running.folder()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def test_a_thousand_that_say_nothing_shut_nobody_out(self):
        with running.Running(self.folder) as weir:
            weir.await_ready()
            crowd = [connect(weir.port) for _ in range(1000)]
            health = weir.health()
            self.assertEqual((health.returncode, health.stdout), (0, "ready\n"))
            for one in crowd:
                one.close()
            self.assertLess(len(os.listdir(f"/proc/{weir.process.pid}/fd")), 200)

    def test_whoever_is_slow_is_cut_and_whoever_asks_too_much_waits(self):
        with running.Running(self.folder, name="slow") as other:
            slow = Slow(other.port)  # takes ten seconds
            self.check_two_hundred_that_ask_all_the_time()
            slow.thread.join()
            self.assertIsNotNone(slow.lasted_s)
            self.assertGreater(slow.lasted_s, 5)

    def check_two_hundred_that_ask_all_the_time(self):
        """They get a part of a core, and messages flow on."""
        with running.Running(self.folder) as weir:
            weir.await_ready()
            begin, used = time.monotonic(), admin_cpu_s(weir.process.pid)
            with Askers(weir.port, 200) as askers:
                before = weir.get("/api/v1/ledger")["done"]
                running.await_that(
                    lambda: time.monotonic() > begin + 4 and
                    weir.get("/api/v1/ledger")["done"] > before, "messages that flow on")
                used = admin_cpu_s(weir.process.pid) - used
                span = time.monotonic() - begin
            self.assertGreater(askers.answers, 100)
            # A fiftieth of a core, a burst, and what the last round took.
            self.assertLess(used, span / 50 + 0.05 + 0.3)

    def test_two_hundred_of_each_kind_dont_stop_the_pipeline(self):
        """Those of the benchmark: that ask and reconnect without end, say half of a
        request, far too much, or nothing."""
        with running.Running(self.folder) as weir:
            weir.await_ready()
            before = weir.get("/api/v1/ledger")["done"]
            crowd = subprocess.Popen(
                [sys.executable, "-B", f"{running.SOURCE}/bench/hostile.py",
                 str(weir.port)], stdin=subprocess.DEVNULL)
            try:
                begin, used = time.monotonic(), admin_cpu_s(weir.process.pid)
                running.await_that(
                    lambda: weir.health().stdout == "ready\n" and
                    weir.get("/api/v1/ledger")["done"] > before + 2000,
                    "messages that flow on, and a health check that gets through")
                used = admin_cpu_s(weir.process.pid) - used
                self.assertLess(used, (time.monotonic() - begin) / 50 + 0.05 + 0.3)
                self.assertIsNone(crowd.poll())
            finally:
                crowd.kill()
                crowd.wait()


if __name__ == "__main__":
    unittest.main(verbosity=2)
