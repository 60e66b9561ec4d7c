"""`weir top` in a pseudo terminal: it shows what runs, and ends when told."""
import contextlib
import os
import pty
import select
import subprocess
import time

import harness
import outputs
from explain_test import Watched
from harness import await_that, expect, expect_equal
from live import command


class Terminal:
    """What a program writes to a terminal of 40 lines of 120 columns."""

    def __init__(self, *arguments):
        self.far, near = pty.openpty()
        os.environ.update({"TERM": "xterm", "LINES": "40", "COLUMNS": "120"})
        self.seen = b""
        self.process = subprocess.Popen(
            [command(), "top", *arguments], stdin=near, stdout=near,
            stderr=near, close_fds=True)
        os.close(near)

    def read(self):
        """What came within a moment is added to what was seen."""
        ready, _, _ = select.select([self.far], [], [], 0.2)
        with contextlib.suppress(OSError):  # the other end is closed
            self.seen += os.read(self.far, 65536) if ready else b""
        return self.seen.decode(errors="replace")

    def await_text(self, text):
        await_that(lambda: text in self.read(), f"{text!r} on the terminal")

    def end(self):
        deadline = time.monotonic() + harness.WAIT_TIMEOUT_S
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read()
        self.read()
        os.close(self.far)
        outputs.keep("top", self.seen.decode(errors="replace"))
        return self.process.wait(1)


def shows_what_runs():
    with harness.scratch() as folder:
        watched = Watched(folder, "generator: { rate: 100, keys: 4 }",
                          "watched")
        with watched.live:
            await_that(watched.address, "the address of the admin interface")
            terminal = Terminal("--address", watched.address(),
                                "--interval", "100ms")
            for text in ("watched", "in flight", "held by", "producer to proc"):
                terminal.await_text(text)
            watched.live.expect_end(0)
            terminal.await_text("nothing answers on")  # and it goes on asking
            os.write(terminal.far, b"q")
            expect_equal(terminal.end(), 0, "exit code")


def against_nothing():
    terminal = Terminal("--address", "127.0.0.1:1")
    expect_equal(terminal.end(), 69, "exit code")
    expect(b"weir top: nothing answers on 127.0.0.1:1" in terminal.seen,
           f"said: {terminal.seen!r}")


def without_a_terminal():
    result = subprocess.run(
        [command(), "top", "--address", "127.0.0.1:1"], check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, timeout=harness.WAIT_TIMEOUT_S)
    expect_equal(result.returncode, 64, "exit code")
    expect("needs a terminal" in result.stderr, f"said: {result.stderr}")


CASES = {
    "live": shows_what_runs,
    "nobody": against_nothing,
    "no_terminal": without_a_terminal,
}

if __name__ == "__main__":
    harness.main(CASES)
