"""The README's five minutes, executed as they are printed there.

The section's `sh` blocks run one after the other in one shell, in an empty
folder; a `text` block is what the `sh` block before it must print.  The blocks
behind "Your own topic" need a broker.
"""
import os
import subprocess
import uuid

import harness
from harness import expect, expect_equal
from printed import blocks_of

SECTION = "## A handler in five minutes"
OWN_TOPIC = "### Your own topic"
MESSAGES = b"eu 12.50\nus 7.00\nbroken\n"


def section():
    with open(f"{harness.ROOT}/README.md", encoding="utf-8") as file:
        text = file.read()
    expect(SECTION in text, f"the README has no section {SECTION!r}")
    return text.split(SECTION, 1)[1].split("\n## ", 1)[0]


def script_of(blocks, folder):
    lines = ["set -eu", "cd work"]
    for index, (commands, _) in enumerate(blocks):
        lines.append(f"{{\n{commands}}} > {folder}/printed.{index}")
    return "\n".join(lines)


def run_blocks(blocks, folder, variables):
    os.mkdir(f"{folder}/work")
    weir = os.path.dirname(os.path.realpath(os.environ["WEIR"]))
    result = subprocess.run(
        ["bash", "-c", script_of(blocks, folder)], cwd=folder, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=harness.RUN_TIMEOUT_S, stdin=subprocess.DEVNULL,
        env={**os.environ, **variables, "PATH": f"{weir}:{os.environ['PATH']}"})
    expect_equal(result.returncode, 0, f"exit code; it said:\n{result.stdout}")
    for index, (commands, printed) in enumerate(blocks):
        if printed is None:
            continue
        with open(f"{folder}/printed.{index}", encoding="utf-8") as file:
            expect_equal(file.read(), printed, f"what is printed by\n{commands}")


def without_broker():
    with harness.scratch() as folder:
        run_blocks(blocks_of(section().split(OWN_TOPIC, 1)[0]), folder, {})


def with_kafka():
    broker = harness.broker("WEIR_KAFKA")
    from nodes import wire
    topic = f"orders-{uuid.uuid4().hex[:12]}"
    wire.create_topic(int(broker.rsplit(":", 1)[1]), topic, 1)
    subprocess.run(["kcat", "-q", "-b", broker, "-P", "-t", topic],
                   input=MESSAGES, check=True, timeout=60)
    with harness.scratch() as folder:
        run_blocks(blocks_of(section()), folder,
                   {"KAFKA_BROKERS": broker, "TOPIC": topic})


if __name__ == "__main__":
    harness.main({"without_broker": without_broker, "with_kafka": with_kafka})
