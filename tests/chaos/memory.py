"""The library that lets allocations of weir fail, and its orders."""
import os
import struct
import subprocess

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "short_memory.c")


class Memory:
    def __init__(self, folder):
        self.path, self.library = f"{folder}/memory", f"{folder}/memory.so"
        with open(self.path, "wb") as file:
            file.write(struct.pack("=II", 0, 0))
        subprocess.run(
            [os.environ.get("CC", "cc"), "-std=c11", "-O2", "-Wall", "-Werror",
             "-fPIC", "-shared", "-fno-builtin", SOURCE, "-o", self.library],
            check=True, timeout=60)

    def variables(self):
        return {"LD_PRELOAD": self.library, "CHAOS_MEMORY": self.path}

    def order(self, every):
        with open(self.path, "r+b") as file:
            file.write(struct.pack("=I", every))

    def end(self):
        """How many have failed so far."""
        self.order(0)
        with open(self.path, "rb") as file:
            return struct.unpack("=II", file.read())[1]
