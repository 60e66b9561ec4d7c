"""What a runbook says that is seen: its commands, run, and what they print.

A block that begins with `$ ` is a command and lines of what it prints, in their order;
others may be between them. In these lines a number stands for any number, a time for any
time, `orders` for any name, `...` for anything.
"""
import os
import re
import subprocess

import harness
import outputs
from harness import await_that, expect
from live import command

BLOCK = re.compile(r"^```text\n\$ (.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TOKEN = re.compile(r"(\d+ h \d+ min|\d+ min \d+ s|\d+ ms\b|\d+ s\b)"
                   r"|(-?\d[\d.]*(?:e[+-]\d+)?)|(\borders\b)|(\.\.\.)")
ANY_TIME = r"(?:\d+ h \d+ min|\d+ min \d+ s|\d+ m?s)"
MEANINGS = (ANY_TIME, r"-?\d[\d.]*(?:e[+-]?\d+)?", r"[\w-]+", r".*")
SEEN, OVER = "What you see", "How you know that it is over"
SECTIONS = ["What it means", SEEN, "What to do", OVER]


def pattern(line):
    text, at = "", 0
    for found in TOKEN.finditer(line):
        text += re.escape(line[at:found.start()])
        text += MEANINGS[found.lastindex - 1]
        at = found.end()
    return re.compile(text + re.escape(line[at:]))


def missing_line(wanted, said):
    """The first of the lines that isn't there; None: all are."""
    lines = iter(said.splitlines())
    for line in wanted:
        if not any(pattern(line).fullmatch(one.rstrip()) for one in lines):
            return line
    return None


class Runbook:
    def __init__(self, name):
        self.name = name
        with open(f"{harness.ROOT}/docs/runbooks/{name}.md",
                  encoding="utf-8") as file:
            self.head, *parts = file.read().split("\n## ")
        self.sections = dict(part.split("\n", 1) for part in parts)

    def blocks(self, section):
        """(command, lines)"""
        return [(words, [line for line in text.splitlines() if line])
                for words, text in BLOCK.findall(self.sections[section])]

    def is_named(self, alert):
        return f"`{alert}`" in self.head

    def await_seen(self, live, section=SEEN, nth=None):
        """All that it shows there, or its nth block alone."""
        blocks = self.blocks(section)
        expect(blocks, f"{self.name}: nothing is shown in '{section}'")
        for words, lines in blocks if nth is None else [blocks[nth]]:
            self.await_block(live, words, lines)

    def await_block(self, live, words, lines):
        last = []

        def is_printed():
            last[:] = [run(words, live)]
            return missing_line(lines, last[0]) is None
        try:
            await_that(is_printed, f"{self.name}: what `{words}` prints")
        except harness.Failed:
            print(f"no `{missing_line(lines, last[0])}` in:\n{last[0]}")
            raise


def run(words, live):
    """As it is written, but for the address, and where the log is."""
    text = words.replace("localhost:9464", live.address)
    text = re.sub(r"\bweir (explain|health)", rf"$WEIR \1 --address "
                  f"{live.address}", text)
    text = text.replace("docker logs orders", f"cat {live.stderr_path}")
    said = subprocess.run(["bash", "-c", text], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**os.environ, "WEIR": command()},
                          timeout=harness.WAIT_TIMEOUT_S).stdout
    outputs.keep("runbook", said)
    return said
