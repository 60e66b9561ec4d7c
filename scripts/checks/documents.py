"""Every topology that a reader may copy is one that weir accepts."""
import os
import re
import shutil
import subprocess
import tempfile

from .tree import Unavailable

FENCE = re.compile(r"^( *)```yaml *\n(.*?)^ *```", re.M | re.S)
HANDLER = """#include <weir/handler.h>
static enum weir_status handle_message(struct weir_message *msg, void *state)
{
    (void)msg, (void)state;
    return WEIR_OK;
}
static enum weir_status handle_batch(struct weir_batch *batch, void *state)
{
    (void)batch, (void)state;
    return WEIR_OK;
}
WEIR_HANDLER(any, .handle_message = handle_message,
             .handle_batch = handle_batch);
"""


def topologies(tree):
    """(where, text, folder) of each; the folder has its neighbours."""
    for name in tree.named(".md"):
        if name != "README.md" and not name.startswith(("docs/", "examples/")):
            continue
        text = tree.read(name)
        for match in FENCE.finditer(text):
            indent, block = match.groups()
            line = text.count("\n", 0, match.start(2)) + 1
            block = re.sub(rf"^{indent}", "", block, flags=re.M)
            yield f"{name}:{line}", block, None
    for name in tree.named(".yaml", ".yml"):
        if (name.startswith(("examples/", "config/examples/", "docs/"))
                and name != "docs/openapi.yaml"):
            yield name, tree.read(name), os.path.dirname(name)


def fill_in(text, weir, folder):
    """What the topology refers to: plugins, and variables that must be set."""
    environment = dict(os.environ)
    for variable in re.findall(r"\$\{(\w+)(?::\?[^}]*)?\}", text):
        environment.setdefault(variable, "example")
    for plugin in set(re.findall(r"plugin:\s*[\"']?([^\s\"',}]+)", text)):
        path = os.path.join(folder, plugin)
        if "/" not in plugin:
            environment["WEIR_HANDLER_PATH"] = folder
            path += ".so"
        if os.path.exists(path):
            continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        source = os.path.join(folder, "any_handler.c")
        with open(source, "w", encoding="ascii") as file:
            file.write(HANDLER)
        done = subprocess.run([weir, "cc", source, "-o", path], check=False,
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise Unavailable(f"weir cc failed: {done.stderr}")
    return environment


def yaml_findings(tree):
    weir = os.path.abspath(f"{tree.build('release')}/cli/weir")
    if not os.path.exists(weir):
        raise Unavailable("there is no weir program")
    for where, text, neighbours in topologies(tree):
        with tempfile.TemporaryDirectory() as folder:
            if neighbours:
                shutil.copytree(neighbours, folder, dirs_exist_ok=True)
            environment = fill_in(text, weir, folder)
            path = os.path.join(folder, "topology.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            done = subprocess.run([weir, "check", path], check=False, cwd=folder,
                                  env=environment, capture_output=True,
                                  text=True, stdin=subprocess.DEVNULL)
            if done.returncode != 0:
                why = (done.stderr or done.stdout).strip().replace(path, "")
                yield f"{where}: not accepted: {why.splitlines()[0]}"
