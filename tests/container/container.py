"""What the container tests share: one container, and its end."""
import contextlib
import os
import subprocess
import sys
import time
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, f"{HERE}/../system")

import engine  # noqa: E402
import harness  # noqa: E402
from harness import expect, expect_equal  # noqa: E402,F401

HARDENED = ["--read-only", "--read-only-tmpfs=false", "--cap-drop", "ALL",
            "--security-opt", "no-new-privileges"]
OWNER = 10001
END_TIMEOUT_S = 120


def need_containers():
    """A machine that can't run them skips, with the reason; CI must."""
    reason = engine.why_not()
    if reason and os.environ.get("CI") != "true":
        harness.skip(reason)
    expect(not reason, f"CI needs containers, but {reason}")


def main(*cases):
    """Runs the one that the first argument names."""
    def guarded(case):
        def run_it():
            need_containers()
            case()
        return run_it
    harness.main({case.__name__: guarded(case) for case in cases})


def run(*arguments, stdin=b"", timeout=END_TIMEOUT_S):
    """`docker run --rm ...` to its end; bytes in, bytes out."""
    return engine.call("run", "--rm", "-i", *arguments, input=stdin,
                       text=False, timeout=timeout)


@contextlib.contextmanager
def mounted(**files):
    """Yields the options that mount a new /etc/weir with these files."""
    with harness.scratch() as folder:
        os.chmod(folder, 0o755)
        for name, text in files.items():
            with open(f"{folder}/{name}.yaml", "w", encoding="utf-8") as file:
                file.write(text)
        yield ["-v", f"{folder}:/etc/weir:ro"]


@contextlib.contextmanager
def volume(container_path):
    """A folder that user 10001 may write to, and the option that mounts it."""
    with harness.scratch() as folder:
        os.chown(folder, OWNER, OWNER)
        yield folder, ["-v", f"{folder}:{container_path}"]


class Live:
    """A container in the foreground; gone when the block ends."""

    def __init__(self, *arguments):
        self.name = f"weir-{uuid.uuid4().hex[:12]}"
        self.process = subprocess.Popen(
            engine.command(["run", "--rm", "-i", "--name", self.name,
                            *arguments]),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        engine.call("rm", "--force", "--time", "0", "--ignore", self.name)
        self.process.kill()
        self.process.communicate()

    def send(self, line):
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def await_line(self, text):
        """Reads on until a line has it; the container's time limit ends it."""
        seen = []
        for line in self.process.stdout:
            if text in line:
                return line
            seen.append(line)
        raise harness.Failed(f"it never said {text!r}, but:\n"
                             f"{b''.join(seen).decode()}")

    def signal(self, name):
        result = engine.call("kill", "--signal", name, self.name)
        expect(result.returncode == 0, f"kill: {result.stderr}")

    def await_healthcheck(self, expected, word="ready"):
        """The image's own check, by hand; 0: healthy, 1: not. It says the word."""
        text = "unhealthy" if expected else "healthy"
        for_it = time.monotonic() + harness.WAIT_TIMEOUT_S
        while True:
            result = engine.call("healthcheck", "run", self.name)
            log = engine.call("inspect", "--format", "{{.State.Health}}",
                              self.name).stdout
            if result.returncode == expected and word in log:
                return
            expect(time.monotonic() < for_it,
                   f"never {text}: {result.returncode}, {log}, {result.stderr}")
            time.sleep(0.1)

    def end(self):
        out, _ = self.process.communicate(timeout=END_TIMEOUT_S)
        return self.process.returncode, out
