"""What a running weir says of its health, while its broker goes and comes back."""
import json
import subprocess
import urllib.error
import urllib.request

import harness
from amqp_queue import Queue
from harness import await_that, expect, expect_equal
from live import Live, command, topology, witness
from own_node import OwnNode
from topic import Topic

READY, NOT_READY = 0, 69


class Watched(Live):
    """With an admin interface on a port of its own."""

    def __init__(self, path, *settings):
        options = ["--set", "admin.listen=127.0.0.1:0"]
        for setting in settings:
            options += ["--set", setting]
        super().__init__(path, options)
        self.await_log("admin interface on http://")
        said = self.log.split("admin interface on http://", 1)[1]
        self.address = said.split(",", 1)[0].split('"', 1)[0].split()[0]

    def ask(self, path):
        """The status and the text."""
        try:
            with urllib.request.urlopen(f"http://{self.address}{path}",
                                        timeout=harness.WAIT_TIMEOUT_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode()

    def await_reason(self, *texts):
        def is_said():
            status, body = self.ask("/readyz")
            return status == 503 and any(text in body for text in texts)
        await_that(is_said, f"/readyz to say one of {texts}: {self.ask('/readyz')}")

    def await_ready(self):
        await_that(lambda: self.ask("/readyz")[0] == 200,
                   f"/readyz to be fine: {self.ask('/readyz')}")

    def expect_health(self, code):
        found = subprocess.run([command(), "health", "--address", self.address],
                               check=False, stdout=subprocess.PIPE, text=True,
                               timeout=harness.WAIT_TIMEOUT_S)
        expect_equal(found.returncode, code, f"weir health: {found.stdout}")

    def sources(self):
        return json.loads(self.ask("/api/v1/sources")[1])["sources"]


def goes_and_comes_back(live, node, *texts):
    live.await_ready()
    live.expect_health(READY)
    node.do("kill")
    live.await_reason(*texts)
    live.expect_health(NOT_READY)
    expect_equal(live.ask("/livez")[0], 200, "liveness while the broker is down")
    node.do("restart")
    live.await_ready()
    live.expect_health(READY)
    live.expect_end()


def readyz_kafka():
    with OwnNode("kafka") as node, harness.scratch() as folder:
        topic = Topic(node["WEIR_KAFKA"], partitions=2).create()
        topic.put(range(10))
        with Watched(topology(folder, topic.producer(commit_interval="200ms"))) as live:
            await_that(lambda: len(live.sources()) == 2, "both partitions")
            await_that(lambda: sum(one["committed"] for one in live.sources()) == 10
                       and all(one["lag"] == 0 for one in live.sources()),
                       f"all of them committed: {live.sources()}")
            goes_and_comes_back(live, node, "source: producer 0: no broker answers")


def readyz_amqp():
    with OwnNode("rabbitmq") as node, harness.scratch() as folder:
        queue = Queue(node["WEIR_AMQP"], "classic").declare()
        node.do("restart")  # killed soon after, 3.10 forgets the queue
        with Watched(topology(folder, queue.producer(heartbeat="2s"))) as live:
            await_that(lambda: [one["name"] for one in live.sources()] == [queue.name],
                       "the queue among the sources")
            goes_and_comes_back(live, node, "source: producer 0 is not connected")


def stalled():
    """One message doesn't end; what is behind it waits at the broker."""
    topic = Topic(harness.broker("WEIR_KAFKA"), partitions=1).create()
    topic.put(range(10))
    with harness.scratch() as folder:
        path = topology(folder, topic.producer(), handler=witness(folder, delay="60s"),
                        failure="{ then: drop, retry: { backoff: { max: 100ms } } }",
                        timeout="1s")
        with Watched(path, "admin.stalled_after=1s") as live:
            live.await_reason("stalled: there is work, and nothing moved")
            live.expect_health(NOT_READY)
            expect_equal(live.ask("/livez")[0], 200, "liveness of what has stalled")
            [source] = live.sources()
            expect_equal(source["oldest"]["where"], "handler", "what holds it")
            expect("weir_ready{pipeline=\"run\"} 0" in live.ask("/metrics")[1],
                   "the metric says so, too")


if __name__ == "__main__":
    harness.main({"readyz_kafka": readyz_kafka, "readyz_amqp": readyz_amqp,
                  "stalled": stalled})
