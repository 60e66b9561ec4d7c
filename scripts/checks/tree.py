"""The files of the project, and builds of it."""
import json
import os
import shutil
import subprocess


class Unavailable(Exception):
    """A check can't be made; `is_fine` when nothing is wrong with that."""

    def __init__(self, reason, is_fine=False):
        super().__init__(reason)
        self.is_fine = is_fine


class Tree:
    def __init__(self):
        self.root = os.path.dirname(os.path.dirname(os.path.dirname(
            os.path.realpath(__file__))))
        os.chdir(self.root)
        self.files = sorted(self.list_files())

    @staticmethod
    def list_files():
        """What git knows or would add; without git, all but build/."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others",
             "--exclude-standard"], capture_output=True, text=True, check=False)
        if listed.returncode == 0:
            return {name for name in listed.stdout.split("\0")
                    if os.path.isfile(name)}
        found = set()
        for folder, folders, names in os.walk("."):
            folders[:] = [f for f in folders
                          if f not in ("build", ".git", "__pycache__")]
            found.update(os.path.relpath(os.path.join(folder, name))
                         for name in names)
        return found

    def named(self, *suffixes):
        return [name for name in self.files if name.endswith(suffixes)]

    @staticmethod
    def read(name):
        with open(name, encoding="utf-8", errors="replace") as file:
            return file.read()

    @staticmethod
    def configure(preset):
        """Returns the preset's build folder, configured."""
        folder = f"build/{preset}"
        done = subprocess.run(["cmake", "--preset", preset],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Unavailable(f"cmake --preset {preset}: {done.stderr}")
        return folder

    def build(self, preset):
        folder = self.configure(preset)
        done = subprocess.run(["cmake", "--build", folder],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Unavailable(f"building {preset} failed: {done.stdout[-500:]}")
        return folder

    @staticmethod
    def compile_commands(folder):
        with open(f"{folder}/compile_commands.json", encoding="utf-8") as file:
            return json.load(file)


def program(*names):
    """The first that is installed."""
    for name in names:
        if shutil.which(name):
            return name
    raise Unavailable(f"{names[0]} is not installed: scripts/deps test")


def in_parallel(function, items):
    """Findings of all items, two at a time or as many as there are cores."""
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(max(2, os.cpu_count() or 2)) as pool:
        return [finding for findings in pool.map(function, items)
                for finding in findings]
