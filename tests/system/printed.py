"""What a page prints: commands to try, and what they say."""
import re

from harness import expect

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks_of(text):
    """(commands, what they print or None) in the order of the page."""
    found = []
    for language, block in BLOCK.findall(text):
        if language == "sh":
            found.append([block, None])
        elif language == "text" and found:
            found[-1][1] = block
    expect(found, "the README has no commands to try")
    return found
