"""A real Prometheus: what it scraped, and which alerts it has.

The rules are those of deploy/, with time that passes faster: SCALE seconds of them are
one here, in ranges, offsets and `for` alike.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))) +
                "/system")

import harness  # noqa: E402
from harness import await_that, expect, expect_equal  # noqa: E402
from nodes.process import die_with_parent, free_ports  # noqa: E402

RULES = f"{harness.ROOT}/deploy/prometheus/weir.rules.yaml"
SCRAPE_MS = 250
SCALE = 300
UNITS_S = {"s": 1, "m": 60, "h": 3600}
DURATION = re.compile(r"(?<=[\[ ])(\d+)([smh])(?=\]|\)|$)", re.MULTILINE)


def need_prometheus():
    for program in ("prometheus", "promtool"):
        if shutil.which(program):
            continue
        text = f"there is no {program}: scripts/deps test"
        expect(os.environ.get("CI") != "true", text)
        harness.skip(text)


def shortened(rules, scale):
    """The text of the rules, in which so many seconds are one."""
    def shorter(found):
        seconds = int(found[1]) * UNITS_S[found[2]]
        return f"{1000 * seconds // scale}ms"
    return DURATION.sub(shorter, rules)


class Prometheus:
    """Scrapes 127.0.0.1:PORT while the block lasts."""

    def __init__(self, folder, port, scale=SCALE):
        need_prometheus()
        self.folder = f"{folder}/prometheus"
        self.place = f"127.0.0.1:{free_ports(1)[0]}"
        os.makedirs(self.folder)
        with open(RULES, encoding="utf-8") as file:
            self.write("rules.yaml", shortened(file.read(), scale))
        self.write("prometheus.yaml", json.dumps({
            "global": {"scrape_interval": f"{SCRAPE_MS}ms",
                       "scrape_timeout": f"{SCRAPE_MS}ms",
                       "evaluation_interval": f"{SCRAPE_MS}ms"},
            "rule_files": ["rules.yaml"],
            "scrape_configs": [{
                "job_name": "weir",
                "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}]}))
        self.log = open(f"{self.folder}/log", "wb")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={self.folder}/prometheus.yaml",
             f"--storage.tsdb.path={self.folder}/data",
             f"--web.listen-address={self.place}", "--log.level=warn"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            preexec_fn=die_with_parent)

    def write(self, name, text):
        with open(f"{self.folder}/{name}", "w", encoding="utf-8") as file:
            file.write(text)

    def __enter__(self):
        await_that(self.is_ready, "Prometheus that answers")
        return self

    def __exit__(self, kind, error, trace):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        if kind:
            with open(f"{self.folder}/log", encoding="utf-8") as file:
                print(f"Prometheus said:\n{file.read()[-3000:]}")

    def is_ready(self):
        expect(self.process.poll() is None, "Prometheus has ended")
        try:
            self.answer("/-/ready")
        except OSError:
            return False
        return True

    def answer(self, path, **values):
        """Of its API; an error is a failure with what it said."""
        query = urllib.parse.urlencode(values)
        try:
            with urllib.request.urlopen(f"http://{self.place}{path}?{query}",
                                        timeout=harness.WAIT_TIMEOUT_S) as said:
                return said.read().decode()
        except urllib.error.HTTPError as error:
            if path.startswith("/-/"):
                raise
            raise harness.Failed(f"{values}: {error.read().decode()}") from None

    def api(self, path, **values):
        said = json.loads(self.answer(f"/api/v1/{path}", **values))
        expect_equal(said["status"], "success", f"the answer to {values}")
        return said["data"]

    def query(self, text):
        """[(labels, value)] of now."""
        data = self.api("query", query=text)
        if data["resultType"] == "scalar":
            return [({}, float(data["result"][1]))]
        return [(one["metric"], float(one["value"][1]))
                for one in data["result"]]

    def value(self, text):
        """Of the only series that there is; None: there is none."""
        found = self.query(text)
        expect(len(found) <= 1, f"{text} has {len(found)} series")
        return found[0][1] if found else None

    def is_firing(self, name):
        return any(alert["labels"]["alertname"] == name and
                   alert["state"] == "firing"
                   for alert in self.api("alerts")["alerts"])

    def await_up(self):
        await_that(lambda: self.value("up") == 1, "a target that is up")

    def await_alert(self, name, is_firing=True):
        await_that(lambda: self.is_firing(name) == is_firing,
                   f"{name} {'fires' if is_firing else 'is over'}")
