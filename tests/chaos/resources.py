"""What a process holds while it goes on: memory, threads, descriptors."""
import os
import statistics
import threading

SAMPLE_S = 1
GROWTH, SLACK = 1.05, 2  # of memory; of threads and descriptors
JUDGED = 300  # samples; fewer say nothing
TENTHS = 10


class Resources:
    def __init__(self, pid):
        self.pid, self.samples = pid, []
        self.is_ending = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def run(self):
        page = os.sysconf("SC_PAGE_SIZE")
        while not self.is_ending.wait(SAMPLE_S):
            try:
                with open(f"/proc/{self.pid}/statm", encoding="ascii") as file:
                    resident = int(file.read().split()[1]) * page
                self.samples.append((
                    resident, len(os.listdir(f"/proc/{self.pid}/task")),
                    len(os.listdir(f"/proc/{self.pid}/fd"))))
            except (OSError, IndexError):
                return

    def end(self):
        self.is_ending.set()
        self.thread.join(10)

    def thirds(self):
        """(memory, threads, descriptors) in the middle of the last two thirds"""
        third = len(self.samples) // 3
        parts = self.samples[third:2 * third], self.samples[2 * third:]
        return [[statistics.median(column) for column in zip(*part)]
                for part in parts]

    def faults(self):
        if len(self.samples) < JUDGED:
            return []
        second, last = self.thirds()
        faults = []
        if last[0] > second[0] * GROWTH:
            faults.append(f"resident memory grew from {second[0]:.0f} to "
                          f"{last[0]:.0f} bytes")
        for what, before, after in zip(("threads", "descriptors"), second[1:],
                                       last[1:]):
            if after > before + SLACK:
                faults.append(f"{what} grew from {before} to {after}")
        return faults

    def text(self):
        if len(self.samples) < TENTHS:
            return ""
        second, last = self.thirds()
        return (f"memory {second[0] / 2**20:.1f} then {last[0] / 2**20:.1f} "
                f"MiB ({self.course()}), threads {second[1]:.0f} then "
                f"{last[1]:.0f}, descriptors {second[2]:.0f} then {last[2]:.0f}")

    def course(self):
        """Of memory, a tenth of the time each."""
        ends = [len(self.samples) * part // TENTHS
                for part in range(TENTHS + 1)]
        return " ".join(f"{self.middle(*part) / 2**20:.1f}"
                        for part in zip(ends, ends[1:]))

    def middle(self, first, end):
        return statistics.median(one[0] for one in self.samples[first:end])
