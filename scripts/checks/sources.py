"""What can be seen in the text alone."""
import os
import re

MAX_LINES, MAX_README_LINES = 600, 30
BANNED_FOLDERS = {"util", "utils", "common", "misc", "helper", "helpers"}
NEEDS_NO_README = {"."}
# As OpenTelemetry publishes them.
OTHERS = ("tests/telemetry/opentelemetry/",)

# Whose header may appear where; tests may include what they test against.
FOREIGN = (
    (r"librdkafka/|rdkafka", ("clients/", "producers/kafka/",
                              "sinks/kafka/", "cli/", "bench/")),
    (r"amqp|rabbitmq-c/", ("clients/", "producers/amqp/", "sinks/amqp/",
                           "cli/", "bench/")),
    (r"openssl/", ("clients/",)),
    (r"yaml\.h", ("config/load.c",)),
    (r"xxhash\.h", ("base/hash.c",)),
    (r"jansson", ("cli/", "admin/", "telemetry/", "clients/amqp/",
                  "sinks/format/", "examples/")),
    (r"ncurses", ("cli/",)),
    (r"microhttpd", ("admin/",)),
    (r"curl/", ("clients/http/",)),
)

TOKEN = re.compile(r'''//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"'''
                   r"""|'(?:\\.|[^'\\\n])*'""", re.S)


def blank(match):
    """A token without its text, with its line breaks."""
    return "\n" * match.group().count("\n")


def without_comments(text):
    return TOKEN.sub(lambda match: blank(match) if match.group()[0] == "/"
                     else match.group(), text)


def size_findings(tree):
    for name in tree.files:
        if not (name.endswith((".c", ".h", ".cc", ".py", ".cmake", ".md"))
                or "." not in os.path.basename(name)):
            continue
        if name == "LICENSE":
            continue
        lines = tree.read(name).count("\n")
        if os.path.basename(name) == "README.md" and os.path.dirname(name):
            if lines > MAX_README_LINES:
                yield (f"{name}: {lines} lines, a folder's README has at most "
                       f"{MAX_README_LINES}")
        elif lines > MAX_LINES and not name.endswith(".md"):
            yield f"{name}: {lines} lines, a file has at most {MAX_LINES}"


def conditionals_inside_functions(text):
    """Line numbers of #if, #ifdef and #ifndef; a table may have them."""
    depth, before, is_function = 0, "", False
    for number, line in enumerate(TOKEN.sub(blank, text).split("\n"), 1):
        if line.lstrip().startswith("#"):
            if depth > 0 and is_function and re.match(r"\s*#\s*if", line):
                yield number
            continue
        for character in line.replace(" ", ""):
            if character == "{":
                if depth == 0:
                    is_function = before == ")"
                depth += 1
            elif character == "}":
                depth -= 1
            before = character


def text_findings(tree):
    for name in tree.named(".c", ".h"):
        text = tree.read(name)
        for match in TOKEN.finditer(text):
            if match.group().startswith("//"):
                number = text.count("\n", 0, match.start()) + 1
                yield f"{name}:{number}: a // comment"
        for match in re.finditer(r'^\s*#\s*include\s*"\.\./', text, re.M):
            number = text.count("\n", 0, match.end()) + 1
            yield f'{name}:{number}: #include "../'
        if name.endswith(".c"):
            for number in conditionals_inside_functions(text):
                yield f"{name}:{number}: #if inside a function"
        if not text.startswith("/*"):
            yield f"{name}:1: does not start with a comment that says what it is"


def layer_findings(tree):
    """Foreign headers; for ours CMake's REQUIRES decides."""
    for name in tree.named(".c", ".h"):
        if name.startswith("tests/"):
            continue
        text = without_comments(tree.read(name))
        for match in re.finditer(r"^\s*#\s*include\s*<([^>]+)>", text, re.M):
            for pattern, folders in FOREIGN:
                if re.match(pattern, match.group(1)) \
                        and not name.startswith(folders):
                    yield (f"{name}: <{match.group(1)}> belongs to "
                           f"{', '.join(folders)}")


def needs_readme(folder, folders):
    """Tests mirror the tree: a mirror of a folder is explained there."""
    if folder in NEEDS_NO_README:
        return False
    if not folder.startswith("tests/"):
        return True
    inside = folder[len("tests/"):]
    return inside not in folders and "/" not in inside


def folder_findings(tree):
    folders = {"."}
    with_files = {os.path.dirname(name) for name in tree.files}
    for name in tree.files:
        folder = os.path.dirname(name)
        while folder:
            folders.add(folder)
            folder = os.path.dirname(folder)
    for folder in sorted(folders):
        if os.path.basename(folder) in BANNED_FOLDERS \
                and not folder.startswith(OTHERS):
            yield f"{folder}: a folder is a layer or a connector, not a bag"
        if folder in with_files and needs_readme(folder, folders) \
                and f"{folder}/README.md" not in tree.files:
            yield f"{folder}: has no README.md"
