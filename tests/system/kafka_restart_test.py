"""A broker that stops, dies or freezes in mid-stream costs no message.

One run of weir goes through all of it, without help: numbered messages go in
all the time, through a producer that gives none up, and into a file.
"""
import harness
import topic as kafka
from harness import await_that, expect
from live import Live, expect_each, lines_of, topology
from own_node import OwnNode
from topic import Topic, texts

SESSION = "{ session.timeout.ms: 10000, reconnect.backoff.max.ms: 500 }"


def stop(node):
    node.do("stop")
    return lambda: node.do("restart")


def kill(node):
    node.do("kill")
    return lambda: node.do("restart")


def freeze(node):
    node.do("freeze")
    return lambda: node.do("thaw")


class Stream:
    """Messages in, lines out."""

    def __init__(self, topic, out, step):
        self.topic, self.out, self.step, self.sent = topic, out, step, 0
        self.feeds = []

    def send(self):
        numbers = range(self.sent, self.sent + self.step)
        self.feeds.append(self.topic.send(map(kafka.line, numbers)))
        self.sent += self.step

    def await_out(self):
        while self.feeds:
            kafka.finish(self.feeds.pop())
        wanted = set(texts(range(self.sent)))
        await_that(lambda: wanted <= set(lines_of(self.out)),
                   f"the first {self.sent} messages in the file")


def outages():
    step = 1000 if harness.is_small() else 10000
    with OwnNode("kafka") as node, harness.scratch() as folder:
        topic = Topic(node["WEIR_KAFKA"]).create()
        source = topic.producer(commit_interval="200ms",
                                properties=SESSION)
        with Live(topology(folder, source)) as live:
            stream = Stream(topic, f"{folder}/out", step)
            stream.send()
            stream.await_out()
            for disturb in (stop, kill, freeze):
                stream.send()
                mend = disturb(node)
                stream.send()
                expect(live.process.poll() is None, "weir ended")
                mend()
                stream.send()
                stream.await_out()
            topic.await_all_committed()
            live.expect_end()
            expect_each(lines_of(f"{folder}/out"), texts(range(stream.sent)),
                        "messages in the file")
            topic.expect_all_committed()


if __name__ == "__main__":
    harness.main({"outages": outages})
