"""What became of messages is shown while it happens: `weir tap`."""
import json
import subprocess
import time

import harness
import outputs
from amqp_queue import Queue
from explain_test import Watched
from harness import await_that, expect, expect_equal
from live import command, lines_of, witness
from topic import Topic, finish

TOKEN = "planted-secret-token"
FAILURE = ("{ then: dead_letter, retry: "
           "{ attempts: 3, backoff: { min: 1ms, max: 5ms } } }")
KINDS = ("good", "again", "bad")


class Tap:
    """A `weir tap` with these options that goes on; what it printed so far."""

    def __init__(self, folder, address, *options):
        self.out, self.err = f"{folder}/tap.out", f"{folder}/tap.err"
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen(
                [command(), "tap", "--address", address, "--rate", "1000",
                 *options], stdin=subprocess.DEVNULL, stdout=out, stderr=err)

    def messages(self):
        """Whole lines only."""
        with open(self.out, encoding="utf-8") as file:
            return [json.loads(text) for text in file if text.endswith("\n")]

    def said(self):
        return "\n".join(lines_of(self.err))

    def end(self):
        code = self.process.wait(harness.WAIT_TIMEOUT_S)
        outputs.keep("tap", self.said() + "\n".join(lines_of(self.out)))
        return code


def watched(folder, producer, name):
    dead = (f"dead_letter: {{ batch_timeout: 10ms, sink: {{ file: {{ path: "
            f"{folder}/dead, fsync: never }} }} }}")
    return Watched(folder, producer, name, failure=FAILURE, timeout="10s",
                   more=f"{dead}\nadmin: {{ listen: '127.0.0.1:0', token: "
                   f"{TOKEN} }}",
                   handler=witness(folder, reject="bad", again="again"))


def is_as_it_was(message, began):
    """Its latency is no longer than it can have been there."""
    spent_us = (time.time() - began) * 1e6
    expect(0 <= message["latency_us"] <= spent_us, f"latency: {message}")
    expect(0 <= message["at_ms"] / 1000 - began <= spent_us / 1e6 + 1,
           f"its time: {message}")


def outcomes_of_each_kind(producer, send, name):
    """Done, retried and then done, dead-lettered with the reason; payloads
    with the token.  One of each kind is sent until each was in the sample."""
    with harness.scratch() as folder:
        token = f"{folder}/token"
        with open(token, "w", encoding="utf-8") as file:
            file.write(TOKEN + "\n")
        run = watched(folder, producer, name)
        with run.live:
            await_that(run.address, "the address of the admin interface")
            tap = Tap(folder, run.address(), "--format", "json", "--payload",
                      "--token-file", token)
            began, sent = time.time(), 0

            def found():
                return {(message["payload"].split()[0], message["outcome"])
                        for message in tap.messages()}

            def each_is_seen():
                nonlocal sent
                expect(tap.process.poll() is None, f"it ended: {tap.said()}")
                if sent <= run.live.log.count("failed: told to"):
                    send([f"{kind} {sent}" for kind in KINDS])
                    sent += 1
                return {("good", "done"), ("again", "retried"),
                        ("again", "done"), ("bad", "dead_lettered")} <= found()
            await_that(each_is_seen, "all outcomes")
            run.live.expect_end(0)
            expect_equal(tap.end(), 0, "exit code of weir tap")
        expect("it has ended: " in tap.said(), f"said: {tap.said()}")
        for message in tap.messages():
            is_as_it_was(message, began)
        check_messages(tap.messages(), run.live.report)


def check_messages(messages, report):
    expect_equal({(message["payload"].split()[0], message["outcome"])
                  for message in messages},
                 {("good", "done"), ("again", "retried"), ("again", "done"),
                  ("bad", "dead_lettered")}, "outcomes")
    for message in messages:
        is_bad = message["payload"].startswith("bad")
        expect_equal(message["code"], "rejected" if is_bad else None, "code")
        expect(not is_bad or message["reason"].startswith("told to"),
               f"its reason: {message}")
        expect_equal(message["size"], len(message["payload"]), "size")
        if message["outcome"] == "retried":
            expect_equal(message["attempts"], 1, "attempts")
        elif message["payload"].startswith("again"):
            expect_equal(message["attempts"], 2, "attempts")
    expect(len(messages) <= report["received"] + report["counters"]["retries"],
           f"more than there were: {len(messages)} of {report}")


def kafka():
    topic = Topic(harness.broker("WEIR_KAFKA"), 1).create()

    def send(texts):
        finish(topic.send([f"k:{text}\n".encode() for text in texts]))
    outcomes_of_each_kind(topic.producer(), send, "kafka")


def amqp():
    queue = Queue(harness.broker("WEIR_AMQP")).declare()
    try:
        outcomes_of_each_kind(queue.producer(), lambda texts: queue.put(
            [text.encode() for text in texts]), "amqp")
    finally:
        queue.delete()


def tap(*options):
    return subprocess.run(
        [command(), "tap", *options], check=False, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        timeout=harness.WAIT_TIMEOUT_S)


def against_nothing():
    """Clear, and an exit code of its own; also for what can't be."""
    result = tap("--address", "127.0.0.1:1")
    expect_equal(result.returncode, 69, "exit code")
    expect("weir tap: nothing answers on 127.0.0.1:1" in result.stderr,
           f"said: {result.stderr}")
    for options, text in ((["--rate", "0"], "--rate"),
                          (["--format", "xml"], "--format"),
                          (["--outcomes", "done&x=1"], "--outcomes"),
                          (["--payload"], "--token-file"),
                          (["--payload", "--token-file", "/nowhere"],
                           "no token can be read from /nowhere")):
        result = tap("--address", "127.0.0.1:1", *options)
        expect_equal(result.returncode, 64, f"exit code of {options}")
        expect(text in result.stderr, f"{options}: {result.stderr}")


def for_people():
    """So many, with what was left out; and nothing of what was in them."""
    with harness.scratch() as folder:
        run = Watched(folder, "generator: { rate: 5000, template: 'payload' }",
                      "people")
        with run.live:
            await_that(run.address, "the address of the admin interface")
            result = tap("--address", run.address(), "--count", "20",
                         "--rate", "5", "--outcomes", "done")
            expect_equal(result.returncode, 0, f"exit code: {result.stderr}")
            lines = result.stdout.splitlines()
            expect_equal(len(lines), 20, "lines")
            expect(all("  done " in text and "generator[0]@" in text
                       for text in lines), f"lines: {lines}")
            expect("payload" not in result.stdout, "a payload is shown")
            expect("more were left out" in result.stderr,
                   f"said: {result.stderr}")
            wrong = tap("--address", run.address(), "--outcomes", "dine")
            expect_equal(wrong.returncode, 64, "exit code")
            expect("outcomes are some of" in wrong.stderr, wrong.stderr)
            secret = f"{folder}/token"
            with open(secret, "w", encoding="utf-8") as file:
                file.write(TOKEN)
            denied = tap("--address", run.address(), "--payload",
                         "--token-file", secret)
            expect_equal(denied.returncode, 69, "exit code")
            expect("no admin.token" in denied.stderr, denied.stderr)
            run.live.expect_end(0)


CASES = {
    "kafka": kafka,
    "amqp": amqp,
    "nobody": against_nothing,
    "people": for_people,
}

if __name__ == "__main__":
    harness.main(CASES)
