"""What compilers and analysers say."""
import hashlib
import os
import re
import subprocess

from .tree import Unavailable, in_parallel, program

FORMAT_VERSION = "14"


def output_of(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, **options)
    return done.returncode, done.stdout + done.stderr


def format_findings(tree):
    name = program("clang-format-14", "clang-format")
    version = re.search(r"version (\d+)", output_of([name, "--version"])[1])
    if version.group(1) != FORMAT_VERSION:
        raise Unavailable(f"only clang-format {FORMAT_VERSION} decides, this is "
                          f"{version.group(1)}", is_fine=True)
    _, output = output_of([name, "--dry-run", "--Werror",
                           *tree.named(".c", ".h")])
    return {":".join(line.split(":")[:2]) + ": clang-format would change this"
            for line in output.splitlines() if ": error:" in line}


def fingerprint(tree, *parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode())
    for name in tree.named(".h") + [".clang-tidy"]:
        digest.update(tree.read(name).encode())
    return digest.hexdigest()


def tidy_findings(tree):
    """A file that was clean, with the same headers, is not looked at again."""
    name = program("clang-tidy-14", "clang-tidy")
    version = output_of([name, "--version"])[1]
    folder = tree.configure("clang")
    cache = "build/check/tidy"
    os.makedirs(cache, exist_ok=True)
    commands = {os.path.relpath(entry["file"]): entry["command"]
                for entry in tree.compile_commands(folder)}
    files = [file for file in tree.named(".c") if file in commands]

    def look_at(file):
        mark = os.path.join(cache, fingerprint(
            tree, version, file, tree.read(file), commands[file]))
        if os.path.exists(mark):
            return []
        code, output = output_of([name, "-p", folder, "--quiet", file])
        found = [os.path.relpath(line) for line in output.splitlines()
                 if re.search(r":\d+:\d+: (error|warning): ", line)]
        if code != 0 and not found:
            found = [f"{file}: clang-tidy failed: {output[-200:].strip()}"]
        if not found:
            with open(mark, "w", encoding="ascii"):
                pass
        return found

    return in_parallel(look_at, files)


def flags_by_folder(tree):
    """How a source is compiled that may include the folder's headers.  A folder
    that no source may include belongs to another machine's build."""
    found = {}
    for entry in tree.compile_commands(tree.configure("clang")):
        flags = re.findall(r"-(?:I|D|isystem )\S+", entry["command"])
        flags = [part for flag in flags for part in flag.split(" ")]
        own = os.path.dirname(os.path.relpath(entry["file"]))
        folders = [os.path.relpath(flag[2:]) for flag in flags
                   if flag.startswith("-I")]
        flags = [flag.replace('\\"', '"') for flag in flags]
        for folder in [own, *folders]:  # a folder's own source knows best
            rank = (folder == own, len(flags), flags)
            found[folder] = max(found.get(folder, rank), rank)
    return {folder: rank[2] for folder, rank in found.items()}


def compile_alone(command, header, language):
    done = subprocess.run([*command, "-x", language, "-Wall", "-Wextra",
                           "-Wpedantic", "-Werror", "-fsyntax-only", "-"],
                          input=f'#include "{os.path.abspath(header)}"\n'
                          "int a_unit_is_not_empty;\n",
                          text=True, capture_output=True, check=False)
    if done.returncode == 0:
        return []
    why = next((line for line in done.stderr.splitlines() if "error" in line),
               done.stderr[-200:])
    return [f"{header}: does not compile alone in {command[1]}: {why}"]


def header_findings(tree):
    flags = flags_by_folder(tree)
    cxx = [program("g++"), "-std=c++20", "-Iinclude"]

    def look_at(header):
        if header.startswith("include/"):
            return (compile_alone(["gcc", "-std=c11", "-Iinclude"], header, "c")
                    + compile_alone(cxx, header, "c++"))
        own = flags.get(os.path.dirname(header))
        return compile_alone(["gcc", "-std=c11", *own], header, "c") \
            if own else []

    return in_parallel(look_at, tree.named(".h"))


def script_findings(tree):
    for name in tree.files:
        if not name.startswith(("scripts/", ".ci/", "bench/", "tests/",
                                "examples/")):
            continue
        text = tree.read(name)
        first = text.split("\n", 1)[0]
        if name.endswith(".py") or "python" in first and first[:2] == "#!":
            try:
                compile(text, name, "exec")
            except SyntaxError as error:
                yield f"{name}:{error.lineno}: {error.msg}"
        elif name.endswith(".sh") or re.match(r"#!.*\b(ba)?sh\b", first):
            shell = "bash" if "bash" in first else "sh"
            code, output = output_of([shell, "-n", name])
            if code != 0:
                yield output.strip().split("\n")[0]
        if first.startswith("#!") and not os.access(name, os.X_OK):
            yield f"{name}: starts with #! and is not executable"
