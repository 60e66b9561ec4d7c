"""A broker that a test may stop, kill and freeze: nobody else uses it."""
import glob
import os
import shutil
import subprocess
import tempfile

import harness
from harness import Failed

BROKERS = f"{harness.ROOT}/scripts/brokers"
LOG_SIZE = 6000  # of what a node said, where a test fails


class OwnNode:
    """Runs for the length of a `with` block; files are in `folder`."""

    def __init__(self, kind, *options):
        # Where nobody asked for brokers, none are started.
        harness.broker({"kafka": "WEIR_KAFKA", "rabbitmq": "WEIR_AMQP"}[kind])
        self.kind, self.options = kind, options
        self.folder, self.variables = None, {}

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="weir-node-")
        try:
            said = self.brokers("start", self.kind, self.folder, "--owner",
                                str(os.getpid()), *self.options)
        except Failed:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self.variables = dict(line.split("=", 1) for line in said.splitlines())
        return self

    def __exit__(self, kind, error, trace):
        if kind and issubclass(kind, Failed):
            self.print_logs()
        try:
            self.do("kill")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def print_logs(self):
        for path in (f"{self.folder}/log", *glob.glob(f"{self.folder}/logs/*")):
            with open(path, encoding="utf-8", errors="replace") as file:
                print(f"the end of {path}:\n{file.read()[-LOG_SIZE:]}")

    def brokers(self, *words):
        # Into a file: what a node leaves running would keep a pipe open.
        with open(f"{self.folder}/said", "w+", encoding="utf-8") as said:
            code = subprocess.run(
                [BROKERS, *words], stdin=subprocess.DEVNULL, stdout=said,
                stderr=subprocess.STDOUT, check=False,
                timeout=harness.RUN_TIMEOUT_S).returncode
            said.seek(0)
            text = said.read()
        if code != 0:
            raise Failed(f"scripts/brokers {' '.join(words)}: {text}")
        return text

    def do(self, verb):
        """stop, kill, restart, freeze or thaw"""
        return self.brokers(verb, self.folder)

    def tool(self, *words):
        return self.brokers("tool", self.folder, *words)

    def __getitem__(self, variable):
        return self.variables[variable]
