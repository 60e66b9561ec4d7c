"""Where measurements take place: the programs, the brokers, a folder."""
import os
import shutil
import subprocess
import sys
import tempfile

import measuring

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BENCH, BROKERS = f"{ROOT}/bench", f"{ROOT}/scripts/brokers"
PROGRAMS = ("bare_kafka", "fill_kafka", "bare_kafka_sink", "topic_span",
            "bare_amqp", "bare_amqp_sink", "fill_amqp")
PARTITIONS = 4


class Stand:
    """Brokers start when they are first asked for, and end with the stand."""

    def __init__(self, build):
        self.build = build
        self.weir = f"{build}/cli/weir"
        self.folder = tempfile.mkdtemp(prefix="weir-bench-")
        self.nodes, self.serial = {}, 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for kind in self.nodes:
            subprocess.run([BROKERS, "kill", f"{self.folder}/{kind}"],
                           check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def program(self, name):
        return f"{self.build}/bench/bench_{name}"

    def make(self):
        """Builds what is missing and compiles the handler as a user would."""
        wanted = [self.weir, *(self.program(name) for name in PROGRAMS)]
        if not all(os.path.exists(path) for path in wanted):
            for command in (["cmake", "--preset", "release"],
                            ["ninja", "-C", self.build]):
                subprocess.run(command, cwd=ROOT, check=True,
                               stdout=sys.stderr)
        self.run([self.weir, "cc", f"{BENCH}/reader.c", f"{BENCH}/meter.c",
                  "-O2", "-o", f"{self.folder}/reader.so"])

    def run(self, command):
        return measuring.run(command, self.folder)

    def unique(self, name):
        self.serial += 1
        return f"{name}-{self.serial}"

    def node(self, kind):
        """The environment of a broker of that kind."""
        if kind not in self.nodes:
            options = ["--throughput"] if kind == "kafka" else []
            started = subprocess.run(
                [BROKERS, "start", kind, f"{self.folder}/{kind}", "--owner",
                 str(os.getpid()), *options],
                check=True, stdout=subprocess.PIPE, text=True)
            self.nodes[kind] = dict(line.split("=", 1) for line in
                                    started.stdout.splitlines() if "=" in line)
        return self.nodes[kind]

    def kafka(self):
        return self.node("kafka")["WEIR_KAFKA"]

    def amqp(self):
        return self.node("rabbitmq")["WEIR_AMQP"]

    def topic(self, name, *options, partitions=PARTITIONS):
        self.kafka()
        subprocess.run([BROKERS, "topic", f"{self.folder}/kafka", name,
                        str(partitions), *options], check=True,
                       stdout=subprocess.DEVNULL)
        return name

    def drop_topic(self, name):
        subprocess.run([BROKERS, "tool", f"{self.folder}/kafka",
                        "kafka.admin.TopicCommand", "--delete", "--topic",
                        name], check=False, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def drop_queue(self, name):
        subprocess.run([BROKERS, "tool", f"{self.folder}/rabbitmq",
                        "delete_queue", name], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def fill_kafka(self, topic, count, size, rate=0, properties=(),
                   partitions=PARTITIONS):
        return [self.program("fill_kafka"), self.kafka(), topic,
                str(partitions), str(count), str(size), str(rate), *properties]

    def fill_amqp(self, queue, kind, count, size, rate=0):
        return [self.program("fill_amqp"), self.amqp(), queue, kind,
                str(count), str(size), str(rate)]

    def topology(self, text):
        """Writes it and returns its path."""
        path = f"{self.folder}/{self.unique('topology')}.yaml"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def weir_run(self, topology, *options):
        return [self.weir, "run", topology, "--quiet", *options]
