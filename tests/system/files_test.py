"""Lines in and files out: pipes, ends without a newline, full and shared disks."""
import contextlib
import os
import subprocess
import tempfile

import harness
from harness import await_that, expect, expect_equal
from live import Live, lines_of, topology, witness

LIMIT = 1024 * 1024


def pipe(text, source="stdin", **values):
    """Returns (the run, what it wrote) for `text` on a pipe."""
    with harness.scratch() as folder:
        path = topology(folder, source, **values)
        with Live(path, stdin=subprocess.PIPE) as live:
            live.process.stdin.write(text)
            live.process.stdin.close()
            live.expect_end(0, None)
        with open(f"{folder}/out", "rb") as file:
            return live, file.read()


def lines():
    """What is a line, and that its bytes are not touched."""
    for text, wanted in ((b"", b""), (b"a", b"a\n"), (b"a\nb", b"a\nb\n"),
                         (b"a\nb\n", b"a\nb\n"), (b"\n\n", b"\n\n"),
                         (b"a\r\n\0\xff\n", b"a\r\n\0\xff\n")):
        live, found = pipe(text, processors="ordering: partition")
        expect_equal(found, wanted, f"the file, of {text!r}")
        expect_equal(live.report["done"], wanted.count(b"\n"), "done")


def huge_line():
    """As large as allowed: delivered.  Larger: rejected, and not cut."""
    fits, too_large = b"x" * LIMIT, b"y" * (8 * LIMIT)
    live, found = pipe(b"\n".join([b"a", fits, b"b", too_large, b"c"]),
                       processors="ordering: partition")
    expect_equal(live.report["rejected"], 1, "rejected")
    expect_equal(live.report["counters"]["rejected_size"], 1, "too large")
    expect(found == b"\n".join([b"a", fits, b"b", b"c", b""]),
           f"not the lines that fit: {len(found)} bytes")
    live, found = pipe(too_large)
    expect_equal((live.report["rejected"], found), (1, b""),
                 "a huge line without an end")


def closed_stdin():
    with harness.scratch() as folder:
        with Live(topology(folder, "stdin"),
                  stdin=subprocess.DEVNULL) as live:
            live.expect_end(0, None)
            expect_equal(live.report["received"], 0, "received")


def closed_stdout():
    """Nobody reads, and nobody will: the run ends, and says so."""
    with harness.scratch() as folder:
        reader, writer = os.pipe()
        path = topology(folder, "generator: { rate: 500 }", sink="stdout")
        with Live(path, stdout=writer) as live:
            os.close(writer)
            expect(os.read(reader, 100), "nothing on standard output")
            os.close(reader)
            live.expect_end(70, None)
            expect("stdout: its reader has gone" in live.log,
                   "the log doesn't say why")
            expect_equal(live.report["counters"]["restarts"], 3, "restarts")
            expect_equal(live.log.count("; more than 3 restarts in 5 s"), 1,
                         "lines that say that the budget is used up")
            expect(live.report["abandoned"] > 0, f"report: {live.report}")


@contextlib.contextmanager
def small_disk():
    if os.geteuid() != 0:
        harness.skip("only root can mount a small disk")
    folder = tempfile.mkdtemp(prefix="weir-disk-")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "weir",
                           folder], check=False, capture_output=True)
    try:
        if done.returncode != 0:
            harness.skip(f"no small disk: {done.stderr.decode().strip()}")
        yield folder
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", "-l", folder], check=False)
        os.rmdir(folder)


def full_disk():
    """The source stops, and goes on when there is room; no line is torn."""
    count = 2000
    with small_disk() as disk, harness.scratch() as folder:
        ballast = f"{disk}/ballast"
        with open(ballast, "wb") as file:
            file.write(b"x" * 200 * 1024)
        out = f"{disk}/out"
        path = topology(folder, f"generator: {{ count: {count}, size: 100B }}",
                        sink=f"{{ file: {{ path: {out} }} }}")
        with Live(path) as live:
            live.await_log("is the disk full?")
            expect(live.process.poll() is None, "ended with a full disk")
            os.remove(ballast)
            live.expect_end(0, None)
            expect_equal(live.report["done"], count, "done")
        found = lines_of(out)
        expect_equal({len(text) for text in found}, {100}, "bytes of a line")
        expect_equal((len(found), len(set(found))), (count, count), "lines")


def second_writer():
    """Waits, and says so; goes on when the first one has ended."""
    with harness.scratch() as folder:
        gate = f"{folder}/gate"
        with open(gate, "w", encoding="ascii"):
            pass
        source = "generator: { count: 10, template: '%{n}' }"
        first = topology(folder, source, name="first",
                         handler=witness(folder, gate=gate))
        second = topology(folder, source, name="second")
        with Live(first) as one:
            await_that(lambda: os.path.exists(f"{folder}/out"), "the file")
            with Live(second) as two:
                two.await_log("has another writer")
                expect(f"{folder}/out" in two.log, "the file isn't named")
                expect_equal(lines_of(f"{folder}/out"), [], "lines")
                os.remove(gate)
                one.expect_end(0, None)
                two.expect_end(0, None)
        expect_equal(len(lines_of(f"{folder}/out")), 20, "lines of both")


CASES = (lines, huge_line, closed_stdin, closed_stdout, full_disk,
         second_writer)

if __name__ == "__main__":
    harness.main({case.__name__: case for case in CASES})
