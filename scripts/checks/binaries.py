"""What the compiled objects and the library show."""
import glob
import os
import re
import subprocess

from .sources import without_comments
from .tree import Unavailable, program

ALLOWED_GLOBALS = ("base/log.c",)


def declared_exports(tree):
    """Names that follow WEIR_EXPORT in the public headers."""
    names = set()
    for header in tree.named(".h"):
        if not header.startswith("include/weir/"):
            continue
        text = without_comments(tree.read(header))
        text = re.sub(r"^\s*#(?:[^\n]*\\\n)*[^\n]*", "", text, flags=re.M)
        for match in re.finditer(r"\bWEIR_EXPORT\b([^;{]*)", text):
            declaration = re.sub(r"\b(WEIR_PRINTF|__attribute__)\s*\(+[^()]*\)+",
                                 " ", match.group(1))
            declaration = declaration.replace("WEIR_MUST_USE", " ")
            name = re.search(r"(\w+)\s*\(", declaration) or \
                re.search(r"(\w+)\s*(?:\[[^]]*\]\s*)?$", declaration)
            names.add(name.group(1))
    return names


def library(tree):
    folder = tree.build("release")
    found = sorted(glob.glob(f"{folder}/**/libweir.so*", recursive=True))
    if not found:
        raise Unavailable("there is no libweir.so")
    return found[-1]


def export_findings(tree):
    path = library(tree)
    listed = subprocess.run(
        [program("nm"), "-D", "--defined-only", path],
        capture_output=True, text=True, check=True).stdout
    exported = {line.split()[2].split("@")[0] for line in listed.splitlines()
                if line.split()[1] not in "A"}
    declared = declared_exports(tree)
    return ([f"libweir.so: {name} is exported and not declared in include/weir"
             for name in exported - declared]
            + [f"include/weir: {name} is declared and libweir.so lacks it"
               for name in declared - exported])


def global_findings(tree):
    """Objects in a writable section; what only relocation writes is const."""
    folder = tree.build("release")
    for entry in tree.compile_commands(folder):
        source = os.path.relpath(entry["file"])
        if source.startswith(("tests/", "build/")) or source in ALLOWED_GLOBALS:
            continue
        match = re.search(r" -o (\S+)", entry["command"])
        path = os.path.join(entry["directory"], match.group(1))
        listed = subprocess.run([program("objdump"), "-t", path],
                                capture_output=True, text=True, check=False)
        for line in listed.stdout.splitlines():
            found = re.search(r"\s[OB]\s+(\.t?(?:data|bss)\S*)\s+\S+\s+"
                              r"(?:\.hidden\s+)?(\S+)$", line)
            if found and not found.group(1).startswith(".data.rel.ro"):
                yield f"{source}: {found.group(2)} is mutable and global"
