"""The run image: what it is, how it starts, how it ends."""
import contextlib
import io
import json
import os
import re
import socket
import tarfile

import engine
from container import (HARDENED, Live, expect, expect_equal, harness, main,
                       mounted, run)

MIB = 1024 * 1024
TOPOLOGY = """\
name: probe
producer: stdin
processors: { handler: HANDLER, concurrency: 1 }
batchers: { default: { batch_timeout: 10ms, sink: stdout } }
failure: { then: drop }
shutdown: { timeout: 60s }
"""
# While its only worker waits, the producer goes on as far as it may.
MUCH = """\
name: much
producer: { generator: { size: 1MiB, count: 600 }, max_message_bytes: 1MiB }
processors:
  handler: { plugin: probe, options: { pause: 3 } }
  concurrency: 1
batchers: { default: { batch_bytes: 1MiB, sink: discard } }
failure: { then: drop }
"""
TOO_LARGE = """\
name: large
producer: { stdin: {}, max_message_bytes: 400MiB }
processors: { handler: passthrough }
batchers: { default: { sink: discard } }
failure: { then: drop }
"""


def probe():
    """The options that mount a topology of the probe, which is in its image."""
    return mounted(topology=TOPOLOGY.replace("HANDLER", "{ plugin: probe }"))


def inspect(image):
    result = engine.call("image", "inspect", image)
    expect_equal(result.returncode, 0, f"inspect {image}: {result.stderr}")
    return json.loads(result.stdout)[0]


def description():
    """What the image says of itself; no more in it than weir needs."""
    image = inspect("weir")
    expect(image["Size"] < 100_000_000, f"its size is {image['Size']}")
    config = image["Config"]
    expect_equal(config["User"], "10001:10001", "user")
    expect_equal(config["Entrypoint"], ["weir"], "entrypoint")
    expect_equal(config["Cmd"], ["run", "/etc/weir/topology.yaml"], "command")
    check = image.get("Healthcheck") or config["Healthcheck"]
    expect_equal(check["Test"], ["CMD", "weir", "health"], "health check")
    labels = config["Labels"]
    for name in ("title", "description", "licenses", "version", "revision"):
        expect(labels.get(f"org.opencontainers.image.{name}"),
               f"there is no label {name}")
    version = run("weir", "--version")
    expect(f"weir {labels['org.opencontainers.image.version']}\n".encode() in
           version.stdout, f"weir --version says {version.stdout}")


def contents():
    """No shell, nothing that lends rights, and what TLS and names need."""
    created = engine.call("create", "weir").stdout.strip()
    try:
        listing = engine.call("export", created, text=False)
    finally:
        engine.call("rm", created)
    with tarfile.open(fileobj=io.BytesIO(listing.stdout)) as tar:
        members = {member.name: member for member in tar.getmembers()}
    programs = sorted(name for name in members
                      if re.match(r"usr/s?bin/.", name))
    expect_equal(programs, ["usr/bin/weir"], "programs")
    expect(not [name for name, member in members.items()
                if member.isfile() and member.mode & 0o6000],
           "a file lends its owner's rights")
    for name in ("etc/passwd", "etc/ssl/certs/ca-certificates.crt", "etc/weir",
                 "usr/lib/weir/handlers", "usr/share/doc/weir/LICENSE",
                 "usr/share/doc/libc6/copyright"):
        expect(name in members, f"there is no /{name}")
    shell = run("--entrypoint", "/bin/sh", "weir", "-c", "true")
    expect(shell.returncode in (126, 127), "there is a shell")


def hardened():
    """Read-only root, no capability, no more rights: it works."""
    with probe() as options:
        result = run(*HARDENED, *options, "probe", stdin=b"who\n")
    expect_equal(result.returncode, 0, f"exit code; {result.stderr.decode()}")
    expect_equal(result.stdout.decode(),
                 "user 10001:10001 capabilities 0000000000000000 "
                 "0000000000000000 root: Read-only file system\n",
                 "what the handler sees")


def drains():
    with probe() as options, Live(*options, "probe") as live:
        live.send(b"orphan")
        live.await_line(b"reaped: 0")
        live.signal("TERM")
        code, out = live.end()
    expect_equal(code, 0, f"exit code after SIGTERM; {out.decode()}")
    expect(b"draining" in out, f"it doesn't say that it drains: {out}")


def second_signal():
    with probe() as options, Live(*options, "probe") as live:
        live.send(b"stuck")
        live.await_line(b"stuck")
        live.signal("TERM")
        live.await_line(b"draining")
        live.signal("TERM")
        expect_equal(live.end()[0], 128 + 15, "exit code")


def exit_codes():
    """What ends it inside is what the engine shows outside."""
    stop = TOPOLOGY.replace("HANDLER", "{ plugin: probe }").replace(
        "then: drop", "then: stop")
    with mounted(topology=stop) as options:
        ends = {line: run(*options, "probe", stdin=line + b"\n").returncode
                for line in (b"fine", b"bad", b"crash")}
    expect_equal(ends, {b"fine": 0, b"bad": 65, b"crash": 128 + 6}, "ends")
    with mounted(topology="name: [") as options:
        expect_equal(run(*options, "weir").returncode, 78, "a broken topology")
    expect_equal(run("weir").returncode, 78, "no topology")
    expect_equal(run("weir", "rum").returncode, 64, "no such verb")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def health():
    """Healthy when its source and its destination are there, else not."""
    away = TOPOLOGY.replace("HANDLER", "{ plugin: probe }").replace(
        "stdin", "{ kafka: { brokers: 127.0.0.1:1, group: g, topics: [t] } }")
    with mounted(topology=TOPOLOGY.replace("HANDLER", "{ plugin: probe }"),
                 away=away) as options:
        for file, expected in (("topology", 0), ("away", 1)):
            with Live("--keep-healthcheck", "-e",
                      f"WEIR_ADMIN=127.0.0.1:{free_port()}", *options, "probe",
                      "run", f"/etc/weir/{file}.yaml") as live:
                live.await_healthcheck(expected)


@contextlib.contextmanager
def certificates():
    """A folder of them that the container's user may read."""
    with harness.scratch() as folder:
        from nodes import tls
        tls.make(folder)
        for name in os.listdir(folder):
            os.chmod(f"{folder}/{name}", 0o644)
        os.chmod(folder, 0o755)
        yield folder


def health_with_tls():
    """The same check, told by the environment where to ask and whom to believe."""
    port = free_port()
    served = (f"admin: {{ listen: '127.0.0.1:{port}', "
              "tls: { cert: /run/tls/server.pem, key: /run/tls/server.key } }\n")
    with mounted(topology=TOPOLOGY.replace("HANDLER", "{ plugin: probe }") +
                 served) as options, certificates() as folder:
        asked = ["--keep-healthcheck", "-v", f"{folder}:/run/tls:ro", *options,
                 "-e", f"WEIR_ADMIN=https://localhost:{port}"]
        for trusted, expected in (("server", 0), ("ca", 0), ("stranger", 1)):
            with Live(*asked, "-e", f"WEIR_ADMIN_CA=/run/tls/{trusted}.pem",
                      "probe") as live:
                live.await_line(b"admin interface on https://")
                live.await_healthcheck(
                    expected, "certificate" if expected else "ready")


def memory():
    """`memory: auto` is half of the container's limit, and that is enough."""
    with mounted(topology=MUCH, large=TOO_LARGE,
                 endless=MUCH.replace("pause: 3", "pause: 3600")) as options:
        limited = ["--memory", "256m", "--memory-swap", "256m", *options,
                   "probe"]
        result = run(*limited, "check", "/etc/weir/large.yaml")
        expect(b"`memory` (128MiB)" in result.stderr,
               f"the budget isn't half of the limit: {result.stderr}")
        result = run(*limited)
        expect_equal(result.returncode, 0, f"end; {result.stderr.decode()}")
        expect(b"done 600" in result.stderr, f"ledger: {result.stderr}")
        result = run(*limited, "run", "/etc/weir/endless.yaml", "--set",
                     "memory=4GiB")
        expect_equal(result.returncode, 128 + 9,
                     "the limit is none: the end with a larger budget")


def slim():
    """Debian with apt under the same command."""
    image = inspect("weir:slim")["Config"]
    expect_equal((image["User"], image["Entrypoint"], image["Cmd"]),
                 ("10001:10001", ["weir"], ["run", "/etc/weir/topology.yaml"]),
                 "user and command")
    for program in ("apt-get", "weir"):
        result = run("--entrypoint", program, "weir:slim", "--version")
        expect_equal(result.returncode, 0, f"{program}: {result.stderr}")


if __name__ == "__main__":
    main(description, contents, hardened, drains, second_signal, exit_codes,
         health, health_with_tls, memory, slim)
