"""A real Prometheus reads a real run: what it has, and what is drawn of it."""
import contextlib
import json
import re
import subprocess

import prometheus
from prometheus import RULES, Prometheus

import harness
from admin_test import Watched
from amqp_queue import Queue
from amqp_sink_test import sink as amqp_sink
from harness import await_that, expect, expect_equal
from kafka_sink_test import sink as kafka_sink
from live import topology, witness
from topic import Topic, finish

DASHBOARD = f"{harness.ROOT}/deploy/grafana/weir.json"
PARTITIONS, GOOD, BAD = 2, 200, 30
LABELS = {"job", "instance", "pipeline"}
NAME = re.compile(r"\b((?:weir|process)_\w+)\b")
# Parts of a histogram's name.
PARTS = re.compile(r"_(bucket|sum|count)$")
# name: its labels beside LABELS, and one value for each
SERIES = {
    "weir_partition_lag_messages": ("producer", "source", "partition"),
    "weir_partition_open_messages": ("producer", "source", "partition"),
    "weir_rejections_total": ("reason",),
    "weir_not_ready": ("reason",),
    "weir_batches_closed_total": ("closed_by",),
    "weir_mailbox_messages": ("stage", "batcher"),
    "weir_stage_wait_seconds_count": ("stage", "batcher"),
    "weir_messages_received_total": (),
    "weir_memory_limit_bytes": (),
    "process_resident_memory_bytes": (),
}
LEDGER = {"received": "weir_messages_received_total",
          "done": "weir_messages_done_total",
          "rejected": "weir_messages_rejected_total",
          "abandoned": "weir_messages_abandoned_total",
          "in_flight": "weir_messages_in_flight"}
VARIABLES = {"$__rate_interval": "10s", "$job": ".+", "$instance": ".+",
             "$pipeline": ".+", "${datasource}": "weir"}
# What needs trouble, or history, to have a value.
MAY_BE_EMPTY = ("weir_not_ready", "weir_partition_lag_seconds")


class Scraped:
    """Kafka to AMQP, of which some become dead letters in another topic."""

    def __init__(self, stack):
        prometheus.need_prometheus()
        self.folder = stack.enter_context(harness.scratch())
        broker = harness.broker("WEIR_KAFKA")
        self.topic = Topic(broker, PARTITIONS).create()
        letters = Topic(broker, 1).create()
        queue = Queue(harness.broker("WEIR_AMQP")).declare()
        stack.callback(queue.delete)
        path = topology(
            self.folder,
            self.topic.producer(commit_interval="100ms") +
            "\n  rate_limit: { messages: 1000000, bytes: 1GiB }",
            name="scraped", handler=witness(self.folder, reject="bad"),
            sink=amqp_sink(queue.url, routing_key=queue.name),
            more=("dead_letter: { batch_timeout: 50ms, sink: "
                  f"{kafka_sink(letters)} }}"),
            failure="{ then: dead_letter }")
        self.live = stack.enter_context(Watched(path))
        self.live.await_ready()
        self.prometheus = stack.enter_context(Prometheus(
            self.folder, int(self.live.address.rsplit(":", 1)[1])))
        self.prometheus.await_up()

    def put(self):
        for partition in range(PARTITIONS):
            finish(self.topic.send(
                [b"k:good\n"] * GOOD + [b"k:bad\n"] * BAD, "-p", str(partition)))
        self.topic.await_all_committed()


def with_scraped(case):
    with contextlib.ExitStack() as stack:
        case(Scraped(stack))


def values_agree(scraped):
    """Target, labels, types; and in the end the numbers of the ledger."""
    server, live = scraped.prometheus, scraped.live
    scraped.put()
    ledger = json.loads(live.ask("/api/v1/ledger")[1])
    expect_equal((ledger["done"], ledger["rejected"]),
                 (PARTITIONS * GOOD, PARTITIONS * BAD), "done and rejected")
    await_that(lambda: all(server.value(series) == ledger[name]
                           for name, series in LEDGER.items()),
               f"the ledger in Prometheus: {ledger}")
    expect_equal(server.value("weir_dead_letters_total"), PARTITIONS * BAD,
                 "dead letters")
    expect_equal(server.value('weir_rejections_total{reason="handler"}'),
                 PARTITIONS * BAD, "rejections by the handler")
    expect_equal(server.value("weir_message_latency_seconds_count"),
                 PARTITIONS * (GOOD + BAD), "messages that were timed")
    expect_equal(sorted(labels["partition"] for labels, lag in
                        server.query("weir_partition_lag_messages") if lag == 0),
                 [str(number) for number in range(PARTITIONS)], "lags")
    for name, labels in SERIES.items():
        for found, _ in server.query(name):
            expect_equal(set(found) - {"__name__"},
                         LABELS | {label for label in labels if
                                   label in found or label != "batcher"},
                         f"labels of {name}")
    expect_equal(server.value("changes(process_start_time_seconds[1h])"), 0,
                 "changes of the time of its only start")
    check_page(scraped)


def check_page(scraped):
    """Nothing that Prometheus, or its linter, has to say."""
    server = scraped.prometheus
    [target] = server.api("targets")["activeTargets"]
    expect_equal((target["health"], target["lastError"]), ("up", ""),
                 "the target")
    page = scraped.live.ask("/metrics")[1]
    said = subprocess.run(["promtool", "check", "metrics"], input=page,
                          check=False, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, timeout=60)
    expect_equal((said.returncode, said.stdout), (0, ""), "promtool")
    types = dict(re.findall(r"^# TYPE (\w+) (\w+)$", page, re.MULTILINE))
    known = {name: data[0]["type"]
             for name, data in server.api("metadata").items()}
    expect(types.items() <= known.items(), f"types: {types}, {known}")
    for name, kind in types.items():
        expect((kind == "counter") == name.endswith("_total"),
               f"{name} is a {kind}")
    samples = {PARTS.sub("", name) if PARTS.sub("", name) in types else name
               for name in re.findall(r"^(\w+){", page, re.MULTILINE)}
    expect(samples <= set(types), f"without a type: {samples - set(types)}")
    with open(f"{server.folder}/log", encoding="utf-8") as file:
        bad = [line for line in file if "level=warn" in line or
               "level=error" in line]
    expect_equal(bad, [], "what Prometheus complains of")


def filled_in(expression):
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    expect("$" not in expression, f"a variable in {expression}")
    return expression


def panels():
    with open(DASHBOARD, encoding="utf-8") as file:
        return json.load(file)["panels"]


def everything_drawn_exists(scraped):
    """Each metric of the dashboard and of the alerts is in the scrape, and each
    expression is one that has an answer."""
    scraped.put()
    server = scraped.prometheus
    drawn = [filled_in(target["expr"]) for panel in panels()
             for target in panel.get("targets", ())]
    with open(RULES, encoding="utf-8") as file:
        rules = file.read()
    page = scraped.live.ask("/metrics")[1]
    there = set(re.findall(r"^# TYPE (\w+) ", page, re.MULTILINE))
    wanted = {name for text in [rules, *drawn] for name in NAME.findall(text)}
    expect(len(wanted) > 20, f"only {len(wanted)} names: {wanted}")
    expect_equal({name for name in wanted if name not in there and
                  PARTS.sub("", name) not in there}, set(),
                 "names that no scrape has")
    await_that(lambda: server.value("count_over_time(up[1h])") >= 4,
               "some scrapes")
    for expression in drawn:
        found = server.query(expression)
        expect(found or any(name in expression for name in MAY_BE_EMPTY),
               f"no data for {expression}")


def dashboard():
    """What Grafana wants of a dashboard's form."""
    with open(DASHBOARD, encoding="utf-8") as file:
        whole = json.load(file)
    expect(whole["uid"] and whole["title"] and "id" not in whole, "its name")
    ids = [panel["id"] for panel in whole["panels"]]
    expect_equal(len(set(ids)), len(ids), "panels with an id of their own")
    taken = {}
    for panel in whole["panels"]:
        place, name = panel["gridPos"], panel["title"]
        expect(name and panel["type"] in ("row", "stat", "timeseries"),
               f"{name} is a {panel['type']}")
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                expect(x < 24 and (x, y) not in taken,
                       f"{name} is over {taken.get((x, y))}")
                taken[x, y] = name
        if panel["type"] == "row":
            continue
        expect(panel["targets"], f"{name} draws nothing")
        expect_equal(len({one["refId"] for one in panel["targets"]}),
                     len(panel["targets"]), f"refIds of {name}")
        for one in panel["targets"]:
            filled_in(one["expr"])
            expect_equal(one["datasource"],
                         {"type": "prometheus", "uid": "${datasource}"},
                         f"the data source of {name}")
            expect('job=~"$job",instance=~"$instance",pipeline=~"$pipeline"'
                   in one["expr"], f"{name} is not of what was chosen")
    named = {one["name"] for one in whole["templating"]["list"]}
    expect_equal(named, {"datasource", "job", "pipeline", "instance"},
                 "variables")


if __name__ == "__main__":
    harness.main({
        "values_agree": lambda: with_scraped(values_agree),
        "everything_drawn_exists": lambda: with_scraped(everything_drawn_exists),
        "dashboard": dashboard})
