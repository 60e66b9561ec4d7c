"""A `weir run` with an admin interface, and requests to it."""
import http.client
import json
import os
import re
import subprocess
import tempfile
import time

WEIR = os.environ["WEIR"]
SOURCE = os.environ["WEIR_SOURCE"]
TOKEN = "planted-secret-token"
PATIENCE_S = 60

TOPOLOGY = """\
name: {name}
producer:
  {producer}
processors: {{ handler: {handler}, concurrency: 2 }}
batchers:
  default: {{ batch_timeout: 20ms, sink: {sink} }}
failure: {{ then: drop }}
shutdown: {{ timeout: 5s }}
admin: {{ {admin} }}
log: {{ format: text }}
{more}
"""


class Running:
    """From its start until the end of the block; `port` is that of the admin."""

    def __init__(self, folder, **values):
        parts = {"name": "watched", "producer": "generator: { rate: 2000 }",
                 "handler": "passthrough", "sink": "discard", "more": "",
                 "admin": f'listen: "127.0.0.1:0", token: {TOKEN}', **values}
        name = parts.get("file", parts["name"])
        self.topology = os.path.join(folder, f"{name}.yaml")
        self.log_path = f"{self.topology}.log"
        with open(self.topology, "w", encoding="utf-8") as file:
            file.write(TOPOLOGY.format(**parts))
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([WEIR, "run", self.topology,
                                             *parts.get("extra", ())],
                                            stdin=subprocess.DEVNULL, stderr=log)
        self.port = int(self.await_log(r"admin interface on https?://\S*?:(\d+)"))

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if kind:
            print(self.log)

    @property
    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def await_log(self, pattern):
        found = []

        def is_said():
            found[:] = re.findall(pattern, self.log)
            assert found or self.process.poll() is None, self.log
            return bool(found)
        await_that(is_said, f"a log line like {pattern}")
        return found[0]

    def ask(self, path, method="GET", body=None, token=None, **headers):
        """The status, the headers, and the body: JSON where it says so."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=PATIENCE_S)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if isinstance(body, dict):
            body = json.dumps(body)
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        kind = answer.getheader("Content-Type", "")
        return answer.status, answer.headers, (
            json.loads(text) if kind.startswith("application/json") else text)

    def get(self, path):
        status, _, body = self.ask(path)
        assert status == 200, (path, status, body)
        return body

    def change(self, path, body=None):
        return self.ask(path, "POST", body, TOKEN)

    def health(self):
        """What `weir health` says, and its exit code."""
        return subprocess.run(
            [WEIR, "health", "--address", f"127.0.0.1:{self.port}", "--timeout",
             f"{PATIENCE_S}s"], capture_output=True, text=True,
            timeout=2 * PATIENCE_S, check=False)

    def await_ready(self, is_ready=True):
        wanted = 200 if is_ready else 503
        await_that(lambda: self.ask("/readyz")[0] == wanted,
                   f"/readyz to answer {wanted}")


def await_that(is_true, what):
    deadline = time.monotonic() + PATIENCE_S
    while not is_true():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)


def folder():
    return tempfile.TemporaryDirectory(prefix="weir-admin-")
