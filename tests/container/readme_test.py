"""The README's "Run it as a container", executed as it is printed there.

`docker` is engine.py. The first block is run in the project's folder, the others in
an empty one; a `text` block is what the block before it must print.
"""
import os
import subprocess
import uuid

import engine
from container import HERE, expect, expect_equal, harness, main

from printed import blocks_of

SECTION = "## Run it as a container"
MESSAGES = b"one\n\ntwo\n"


def section():
    with open(f"{harness.ROOT}/README.md", encoding="utf-8") as file:
        text = file.read()
    expect(SECTION in text, f"the README has no section {SECTION!r}")
    return text.split(SECTION, 1)[1].split("\n## ", 1)[0]


def run_block(commands, printed, folder, environment):
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands], cwd=folder, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env=environment, timeout=900)
    expect_equal(result.returncode, 0,
                 f"exit code of\n{commands}it said:\n{result.stdout[-2000:]}"
                 f"{result.stderr[-2000:]}")
    if printed is not None:
        expect_equal(result.stdout, printed, f"what is printed by\n{commands}")


def topic_with_messages():
    broker = harness.broker("WEIR_KAFKA")
    from nodes import wire
    topic = f"shop-{uuid.uuid4().hex[:12]}"
    wire.create_topic(int(broker.rsplit(":", 1)[1]), topic, 1)
    subprocess.run(["kcat", "-q", "-b", broker, "-P", "-t", topic],
                   input=MESSAGES, check=True, timeout=60)
    return {"KAFKA_BROKERS": broker, "TOPIC": topic}


def readme():
    blocks = blocks_of(section())
    with harness.scratch() as folder:
        os.mkdir(f"{folder}/bin")
        os.symlink(f"{HERE}/engine.py", f"{folder}/bin/docker")
        environment = {**os.environ, **topic_with_messages(),
                       "PATH": f"{folder}/bin:{os.environ['PATH']}"}
        os.mkdir(f"{folder}/work")
        for index, (commands, printed) in enumerate(blocks):
            where = f"{folder}/work" if index else harness.ROOT
            run_block(commands, printed, where, environment)
    engine.call("rmi", "--force", "shop")


if __name__ == "__main__":
    main(readme)
