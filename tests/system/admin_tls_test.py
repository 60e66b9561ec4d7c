"""The admin interface with TLS: whom its clients believe, and from where."""
import http.client
import os
import re
import socket
import ssl
import subprocess

import harness
import outputs
from explain_test import Watched
from harness import await_that, expect, expect_equal
from live import command
from top_test import Terminal

LISTENS = re.compile(r"admin interface on (https?)://\S*?:(\d+)")
SOURCE = "generator: { rate: 100 }"


def certificates(folder):
    from nodes import tls
    tls.make(folder)
    return folder


class Served(Watched):
    """A run whose admin interface has this certificate; None: no TLS."""

    def __init__(self, folder, name, listen="127.0.0.1:0"):
        with_tls = (f", tls: {{ cert: {folder}/{name}.pem, key: "
                    f"{folder}/{name}.key }}") if name else ""
        super().__init__(folder, SOURCE, name or "plain", more=(
            f"\nadmin: {{ listen: '{listen}'{with_tls} }}"))

    def __enter__(self):
        self.live.__enter__()
        await_that(lambda: LISTENS.search(self.live.log), "an admin interface")
        return self

    def __exit__(self, *error):
        if not error[0]:
            self.live.expect_end(0)
        self.live.__exit__(*error)

    @property
    def port(self):
        return int(LISTENS.search(self.live.log).group(2))

    @property
    def url(self):
        return f"https://localhost:{self.port}"


def get(port, context, host="localhost"):
    """The status of /livez, by a client that has nothing of weir's."""
    connection = http.client.HTTPSConnection(
        host, port, timeout=harness.WAIT_TIMEOUT_S, context=context)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status
    finally:
        connection.close()


def refusal(port, context):
    """Why there is no connection."""
    try:
        get(port, context)
    except (ssl.SSLError, OSError) as error:
        return str(error)
    raise harness.Failed("a connection that should not have been made")


def ask(verb, *options, ca=None):
    result = subprocess.run(
        [command(), verb, *options], check=False, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **({"WEIR_ADMIN_CA": ca} if ca else {})},
        timeout=harness.WAIT_TIMEOUT_S)
    outputs.keep(verb, result.stdout + result.stderr)
    return result


def believed():
    """By others and by each verb, with the authority or the certificate."""
    with harness.scratch() as folder:
        certificates(folder)
        ca, own = f"{folder}/ca.pem", f"{folder}/server.pem"
        with Served(folder, "server") as run:
            context = ssl.create_default_context(cafile=ca)
            expect_equal(get(run.port, context), 200, "status")
            expect_equal(get(run.port, context, "127.0.0.1"), 200, "status")
            for file in (ca, own):
                def is_ready():
                    return ask("health", "--address", run.url, "--ca",
                               file).returncode == 0
                await_that(is_ready, f"health with {file}")
            # As in a container: by the environment alone.
            os.environ["WEIR_ADMIN"] = run.url
            for verb, *options in (["health", "--live"], ["explain"],
                                   ["tap", "--count", "1"]):
                result = ask(verb, *options, ca=ca)
                expect_equal(result.returncode, 0, f"{verb}: {result.stderr}")
                expect(result.stdout, f"weir {verb} says nothing")
            terminal = Terminal("--address", run.url, "--ca", ca)
            terminal.await_text("held by")
            os.write(terminal.far, b"q")
            expect_equal(terminal.end(), 0, "exit code of weir top")


def expect_distrust(run, ca, *texts):
    for verb in ("health", "explain", "tap"):
        result = ask(verb, "--address", run.url, "--ca", ca)
        expect_equal((result.returncode, result.stdout), (69, ""), verb)
        expect(any(text in result.stderr for text in texts),
               f"weir {verb} says: {result.stderr}")


def not_believed():
    """Another authority's, expired, another host's: by nobody."""
    with harness.scratch() as folder:
        certificates(folder)
        trusted = ssl.create_default_context(cafile=f"{folder}/ca.pem")
        with Served(folder, "server") as run:
            expect_distrust(run, f"{folder}/stranger.pem",
                            "unable to get local issuer certificate")
            for ca in ("/nowhere.pem", folder, "/dev/null"):
                result = ask("health", "--address", run.url, "--ca", ca)
                expect_equal(result.returncode, 69, "exit code")
                expect_equal(result.stderr, "weir health: no certificates can "
                             f"be read from {ca}: see --ca, $WEIR_ADMIN_CA\n",
                             "standard error")
        with Served(folder, "expired") as run:
            expect("expired" in refusal(run.port, trusted), "not as expired")
            expect_distrust(run, f"{folder}/ca.pem", "expired")
            expect_distrust(run, f"{folder}/expired.pem", "expired")
        with Served(folder, "wronghost") as run:
            expect("mismatch" in refusal(run.port, trusted), "not as another's")
            expect_distrust(run, f"{folder}/ca.pem", "localhost")


def is_refused(host, port):
    with socket.socket() as one:
        one.settimeout(harness.WAIT_TIMEOUT_S)
        return one.connect_ex((host, port)) != 0


def plain():
    """HTTP gets no page where TLS is spoken, nor TLS one where it isn't; both
    are said. Other addresses than this machine's are asked for."""
    with harness.scratch() as folder:
        certificates(folder)
        with Served(folder, "server") as run:
            with socket.create_connection(("127.0.0.1", run.port)) as one:
                one.settimeout(harness.WAIT_TIMEOUT_S)
                one.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
                expect(b"live" not in one.recv(1000), "a page without TLS")
            result = ask("health", "--address", f"127.0.0.1:{run.port}")
            expect_equal(result.returncode, 69, "exit code")
            expect("https://" in result.stderr, f"said: {result.stderr}")
            expect_equal(get(run.port, ssl.create_default_context(
                cafile=f"{folder}/ca.pem")), 200, "status after it")
        with Served(folder, None, "0") as run:
            expect(is_refused("127.0.0.2", run.port), "listens elsewhere, too")
            result = ask("health", "--address", run.url)
            expect_equal(result.returncode, 69, "exit code")
            expect(run.url.split("/")[2] in result.stderr, result.stderr)
        with Served(folder, None, "0.0.0.0:0") as run:
            expect(not is_refused("127.0.0.2", run.port), "listens here only")


CASES = {
    "believed": believed,
    "not_believed": not_believed,
    "plain": plain,
}

if __name__ == "__main__":
    harness.main(CASES)
