"""What isn't there yet is waited for, and said; a wait can have an end."""
import time

import harness
from amqp_queue import Queue
from harness import await_that, expect, expect_equal
from live import Live, expect_each, lines_of, topology
from topic import Topic, texts

NUMBERS = range(50)


def waits(source, said, create, put):
    with harness.scratch() as folder:
        with Live(topology(folder, source)) as live:
            live.await_log(said)
            create()
            put()
            await_that(lambda: len(lines_of(f"{folder}/out")) >= len(NUMBERS),
                       "all messages in the file")
            live.expect_end(0)
        expect_each(lines_of(f"{folder}/out"), texts(NUMBERS), "messages")


def ends(source, name):
    """With --until-end the wait ends: one line says for what."""
    with harness.scratch() as folder:
        options = ["--until-end", "--connect-timeout", "2s"]
        with Live(topology(folder, source), options) as live:
            begin = time.monotonic()
            live.expect_end(69, None)
            expect(time.monotonic() - begin >= 2, "it did not wait")
            errors = [text for text in live.log.splitlines()
                      if " error " in text]
            expect_equal(len(errors), 1, f"error lines: {errors}")
            expect(name in errors[0], f"{name} isn't named: {errors[0]}")


def topic_waits():
    topic = Topic(harness.broker("WEIR_KAFKA"), 2)
    waits(topic.producer(), topic.name, topic.create,
          lambda: topic.put(NUMBERS))
    topic.expect_all_committed()


def queue_waits():
    queue = Queue(harness.broker("WEIR_AMQP"))
    waits(queue.producer(), queue.name, queue.declare,
          lambda: queue.put(text.encode() for text in texts(NUMBERS)))
    queue.await_ready(0)
    queue.delete()


def topic_ends():
    topic = Topic(harness.broker("WEIR_KAFKA"), 2)
    ends(topic.producer(), topic.name)


def queue_ends():
    queue = Queue(harness.broker("WEIR_AMQP"))
    ends(queue.producer(), queue.name)


CASES = (topic_waits, queue_waits, topic_ends, queue_ends)

if __name__ == "__main__":
    harness.main({case.__name__: case for case in CASES})
