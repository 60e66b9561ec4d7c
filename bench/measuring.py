"""One process measured, and what several measurements come to."""
import glob
import json
import os
import signal
import statistics
import subprocess
import threading
import time

SAMPLE_S, TIMEOUT_S = 0.02, 900
TICKS = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A process that did not do what it was to be measured at."""


def peak_bytes(pid):
    """The most memory that was ever resident, by the kernel; 0: gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


class Process:
    """A command under way; `peak` is what VmHWM said last."""

    def __init__(self, command, folder, variables=None):
        self.log_path = f"{folder}/log"
        with open(self.log_path, "wb") as log:
            self.child = subprocess.Popen(
                command, env={**os.environ, **(variables or {})}, cwd=folder,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.command, self.peak, self.cpu_s = command, 0, 0.0
        self.is_over = threading.Event()
        self.sampler = threading.Thread(target=self.sample, daemon=True)
        self.sampler.start()

    def sample(self):
        while not self.is_over.wait(SAMPLE_S):
            self.peak = max(self.peak, peak_bytes(self.child.pid))

    def has_ended(self):
        """Asked without reaping, since wait() wants what it used."""
        return self.child.returncode is not None or os.waitid(
            os.P_PID, self.child.pid,
            os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def wait(self, timeout_s=TIMEOUT_S):
        """Until it ended by itself; returns its exit code."""
        timer = threading.Timer(timeout_s, os.kill,
                                [self.child.pid, signal.SIGKILL])
        timer.start()
        try:
            _, status, usage = os.wait4(self.child.pid, 0)
        finally:
            timer.cancel()
        self.child.returncode = os.waitstatus_to_exitcode(status)
        self.is_over.set()
        self.sampler.join()
        self.cpu_s = usage.ru_utime + usage.ru_stime
        return self.child.returncode

    def ask_to_end(self):
        if not self.has_ended():
            os.kill(self.child.pid, signal.SIGTERM)

    def end(self):
        """At once, whatever it is doing."""
        if self.child.returncode is None:
            os.kill(self.child.pid, signal.SIGKILL)
            self.wait()

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def must_succeed(self):
        if self.wait() != 0:
            raise Failed(f"{self.command[0]} ended with "
                         f"{self.child.returncode}:\n{self.log()[-2000:]}")


def run(command, folder, variables=None):
    process = Process(command, folder, variables)
    try:
        process.must_succeed()
    finally:
        process.end()
    return process


def read_meters(path, expected):
    """What meter.c appended: a line per thread, as one result."""
    with open(path, encoding="utf-8") as file:
        meters = [json.loads(line) for line in file]
    os.unlink(path)
    handled = sum(meter["count"] for meter in meters)
    if handled < expected:
        raise Failed(f"{handled} messages handled of {expected}")
    seconds = (max(meter["last_ns"] for meter in meters)
               - min(meter["first_ns"] for meter in meters)) / 1e9
    return {"rate": sum(meter["counted"] for meter in meters) / seconds,
            "latency_us": sorted(value for meter in meters
                                 for value in meter["latency_us"])}


def measure(command, folder, count, variables=None):
    """Runs what handles `count` messages and writes meters to FOLDER/out."""
    process = run(command, folder, variables)
    return {**read_meters(f"{folder}/out", count), "peak": process.peak,
            "cpu": process.cpu_s / count * 1e6, "log": process.log()}


def threads_cpu_s(pid, names):
    """What threads of these names have used so far; 0: there are none."""
    used = 0.0
    for task in glob.glob(f"/proc/{pid}/task/*/stat"):
        try:
            with open(task, encoding="utf-8") as file:
                name, rest = file.read().rsplit(")", 1)
        except OSError:
            continue
        if name.split("(", 1)[1] in names:
            fields = rest.split()
            used += (int(fields[11]) + int(fields[12])) / TICKS
    return used


def measure_share(command, folder, count, names, variables=None):
    """As measure(); `share` is what threads of these names used, of all."""
    process, used = Process(command, folder, variables), 0.0
    try:
        while not process.has_ended():
            used = max(used, threads_cpu_s(process.child.pid, names))
            time.sleep(SAMPLE_S)
        process.must_succeed()
    finally:
        process.end()
    return {**read_meters(f"{folder}/out", count), "peak": process.peak,
            "cpu": process.cpu_s / count * 1e6, "log": process.log(),
            "share": used / process.cpu_s}


def quantile_us(result, share):
    values = result["latency_us"]
    return values[int((len(values) - 1) * share)]


def median(results, name):
    return statistics.median(result[name] for result in results)


def spread(results, name):
    """How far the runs are apart, in percent of their median."""
    values = [result[name] for result in results]
    middle = statistics.median(values)
    return (max(values) - min(values)) / middle * 100 if middle else 0.0


def settle(process, quiet_s, timeout_s):
    """Waits until the peak hasn't grown for a while."""
    deadline, last, since = time.monotonic() + timeout_s, 0, time.monotonic()
    while time.monotonic() < deadline and not process.has_ended():
        if process.peak > last:
            last, since = process.peak, time.monotonic()
        if time.monotonic() - since >= quiet_s:
            return
        time.sleep(SAMPLE_S)
