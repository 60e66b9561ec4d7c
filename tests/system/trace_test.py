"""A message's trace: read, given to the handler, in the log, carried on.

Through a real broker and back: what arrives, and what is dead-lettered, has the
context that was sent, byte for byte.
"""
import json
import subprocess

import harness
from amqp_queue import Queue
from harness import expect_equal
from kafka_sink_test import read, sink as kafka_sink
from live import Live, command, topology
from policies_test import kcat
from topic import Topic

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"
STATE = "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"
BROKEN = PARENT.upper()

HANDLER = r"""
#include <string.h>
#include <weir/handler.h>

static enum weir_status handle(struct weir_message *msg, void *state)
{
    struct weir_bytes body = weir_message_payload(msg);
    struct weir_trace trace;

    (void)state;
    if (weir_message_trace(msg, &trace))
        weir_log(msg, WEIR_LOG_INFO, "in %s from %s, %d, %.*s",
                 trace.trace_id, trace.parent_id, trace.is_sampled,
                 (int)trace.state.size, (const char *)trace.state.data);
    else
        weir_log(msg, WEIR_LOG_INFO, "in none");
    if (body.size >= 3 && memcmp(body.data, "bad", 3) == 0)
        return weir_message_reject(msg, "bad");
    return WEIR_OK;
}

WEIR_HANDLER(traced, .handle_message = handle);
"""


def handler(folder):
    with open(f"{folder}/traced.c", "w", encoding="utf-8") as file:
        file.write(HANDLER)
    built = subprocess.run(
        [command(), "cc", "-Werror", f"{folder}/traced.c", "-o",
         f"{folder}/traced.so"], check=False, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=harness.RUN_TIMEOUT_S)
    expect_equal(built.returncode, 0, f"weir cc: {built.stdout}")
    return f"{{ plugin: {folder}/traced.so }}"


def run(folder, producer, sink, dead):
    """Its log lines: what failed, and what the handler said, by sentence."""
    path = topology(folder, producer, handler=handler(folder), sink=sink,
                    failure="{ then: dead_letter }",
                    more=f"dead_letter: {{ sink: {dead} }}")
    with Live(path, ["--until-end", "--set", "log.format=json"]) as live:
        live.expect_end(0, None)
        lines = [json.loads(line) for line in live.log.splitlines()]
    return ([line for line in lines if line["message"].endswith("failed: bad")],
            [line for line in lines if ": in " in line["message"]])


def expect_lines(failed, said, identity):
    """`identity`: what each line of the message that failed says of it."""
    sentence = f": in {TRACE} from {SPAN}, 1, {STATE}"
    expect_equal(sum(line["message"].endswith(sentence) for line in said), 2,
                 "messages whose handler was given the trace")
    expect_equal(sum(line["message"].endswith(": in none") for line in said), 1,
                 "messages whose handler was given none")
    for line in said:
        expect_equal(line.get("trace_id"),
                     None if line["message"].endswith("none") else TRACE,
                     f"trace_id of {line['message']}")
    expect_equal(len(failed), 1, "lines of what failed")
    wanted = {**identity, "trace_id": TRACE, "level": "warning",
              "pipeline": "run", "stage": "processor"}
    expect_equal({name: failed[0].get(name) for name in wanted}, wanted,
                 "the fields of what failed")


def context(headers):
    return headers.get("traceparent"), headers.get("tracestate")


def kafka():
    broker = harness.broker("WEIR_KAFKA")
    old, new, dead = (Topic(broker, 1).create() for _ in range(3))
    sent = ("-H", f"traceparent={PARENT}", "-H", f"tracestate={STATE}")
    kcat(old, b"good\n", *sent)
    kcat(old, b"broken\n", "-H", f"traceparent={BROKEN}")
    kcat(old, b"bad\n", *sent)
    with harness.scratch() as folder:
        failed, said = run(folder, old.producer(), kafka_sink(new),
                           kafka_sink(dead))
    expect_lines(failed, said,
                 {"topic": old.name, "partition": 0, "offset": 2})

    def found(topic):
        return {message["payload"]: context(dict(zip(
            message["headers"][::2], message["headers"][1::2])))
            for message in read(topic)}
    expect_equal(found(new), {"good": (PARENT, STATE),
                              "broken": (BROKEN, None)}, "what went on")
    expect_equal(found(dead), {"bad": (PARENT, STATE)}, "the dead letter")


def amqp():
    url = harness.broker("WEIR_AMQP")
    old, new, dead = (Queue(url).declare() for _ in range(3))
    sent = {"traceparent": PARENT, "tracestate": STATE}

    def sink(queue):
        return f"{{ amqp: {{ url: '{url}', routing_key: {queue.name} }} }}"
    try:
        old.put([b"good"], headers=sent)
        old.put([b"broken"], headers={"traceparent": BROKEN})
        old.put([b"bad"], headers=sent)
        with harness.scratch() as folder:
            failed, said = run(folder, old.producer(), sink(new), sink(dead))
        expect_lines(failed, said, {
            "queue": old.name, "routing_key": old.name, "delivery_tag": 3})
        found = {body: context(properties.headers)
                 for body, properties in new.take_all(2)}
        expect_equal(found, {b"good": (PARENT, STATE),
                             b"broken": (BROKEN, None)}, "what went on")
        (body, properties), = dead.take_all(1)
        expect_equal((body, context(properties.headers)),
                     (b"bad", (PARENT, STATE)), "the dead letter")
    finally:
        for queue in (old, new, dead):
            queue.delete()


if __name__ == "__main__":
    harness.main({"kafka": kafka, "amqp": amqp})
