"""The images, built once for the other tests of this folder."""
import os
import subprocess

import engine
from container import HERE, expect, harness, main

BUILD_TIMEOUT_S = 1500
EXAMPLE = f"{harness.ROOT}/examples/access_log"


def build(tag, folder, *options):
    result = subprocess.run(
        engine.command(["build", *options, "-t", tag, folder]), check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        stdin=subprocess.DEVNULL, timeout=BUILD_TIMEOUT_S)
    expect(result.returncode == 0,
           f"{tag} is not built; its last words:\n{result.stdout[-3000:]}")


def images():
    os.nice(10)
    # What earlier trees left; younger layers spare a build.
    engine.call("image", "prune", "--force", "--filter", "until=24h")
    engine.make_base()
    # The first builds what is compiled; the others find it done.
    build("weir:dev", harness.ROOT, "--target", "dev")
    build("weir:slim", harness.ROOT, "--target", "slim")
    build("weir", harness.ROOT)
    build("access_log", EXAMPLE)
    build("probe", HERE, "--file", f"{HERE}/probe.Dockerfile")


if __name__ == "__main__":
    main(images)
