#!/usr/bin/python3
"""Builds and runs images without a daemon: podman, with a store of its own.

Called as a program it takes the arguments of `docker` and adds what a machine without
a daemon, a bridge and systemd needs, so that printed commands run as they are.

WEIR_CONTAINERS  the folder of the store (build/dev/container); images stay there
"""
import os
import resource
import shutil
import subprocess
import sys
import tempfile

DEBIAN = "trixie"
BASE = f"localhost/debian:{DEBIAN}-slim"
MIRROR = "http://deb.debian.org/debian"
SECONDS_AT_MOST = 240  # for a container; it is ended then, whoever started it
ENOUGH = 16384  # files, and processes
UNUSED = ("usr/share/doc/*", "usr/share/man/*", "usr/share/locale/*")


def store():
    return os.environ["WEIR_CONTAINERS"]


def why_not():
    """What this machine lacks, or None."""
    if os.geteuid() != 0:
        return "containers without a daemon need root here"
    for program in ("podman", "runc", "mmdebstrap"):
        if not shutil.which(program):
            return f"there is no {program}: scripts/deps container"
    if subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"],
                      capture_output=True, check=False).returncode != 0:
        return "this machine gives nobody namespaces of his own"
    return None


def can_overlay():
    """Where the store is; without it every layer is a copy."""
    os.makedirs(store(), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=store()) as folder:
        for name in ("lower", "upper", "work", "all"):
            os.mkdir(f"{folder}/{name}")
        options = (f"lowerdir={folder}/lower,upperdir={folder}/upper,"
                   f"workdir={folder}/work")
        return subprocess.run(
            ["unshare", "--mount", "mount", "-t", "overlay", "overlay", "-o",
             options, f"{folder}/all"], capture_output=True,
            check=False).returncode == 0


def driver():
    """Chosen once, since a store knows one only."""
    path = f"{store()}/driver"
    if not os.path.exists(path):
        name = "overlay" if can_overlay() else "vfs"
        with open(path, "w", encoding="utf-8") as file:
            file.write(name)
    with open(path, encoding="utf-8") as file:
        return file.read()


def limits():
    """podman would ask for more than is allowed here, unless it is given both."""
    words = []
    for name, number in (("nofile", resource.RLIMIT_NOFILE),
                         ("nproc", resource.RLIMIT_NPROC)):
        most = resource.getrlimit(number)[1]
        most = ENOUGH if most == resource.RLIM_INFINITY else min(most, ENOUGH)
        words += ["--ulimit", f"{name}={most}:{most}"]
    return words


def command(arguments):
    words = ["podman", "--root", f"{store()}/root", "--runroot",
             f"{store()}/run", "--tmpdir", f"{store()}/tmp", "--runtime",
             "runc", "--cgroup-manager", "cgroupfs", "--events-backend",
             "none", "--storage-driver", driver()]
    verb, rest = arguments[0], list(arguments[1:])
    words.append(verb)
    if verb == "build":
        words += ["--isolation", "chroot", "--network", "host", "--format",
                  "docker", "--pull=never"]
    if verb in ("run", "create"):
        words += [*limits(), "--pull=never", "--timeout", str(SECONDS_AT_MOST)]
        if "--network" not in rest:
            words += ["--network", "host"]
        # Of many on one network each has a port; without systemd no timers.
        words += ["-e", "WEIR_ADMIN=127.0.0.1:0"]
        if "--keep-healthcheck" not in rest:
            words.append("--no-healthcheck")
        rest = [word for word in rest if word != "--keep-healthcheck"]
    return words + rest


def call(*arguments, **options):
    """To its end; text in, text out."""
    options.setdefault("timeout", SECONDS_AT_MOST + 60)
    options.setdefault("text", True)
    return subprocess.run(command(arguments), check=False,
                          capture_output=True, **options)


def have(image):
    return call("image", "exists", image).returncode == 0


def make_base():
    """What `debian:trixie-slim` is on a machine with a registry."""
    if have(BASE):
        return
    with tempfile.TemporaryDirectory(dir=store()) as folder:
        root = f"{folder}/debian.tar"
        subprocess.run(
            ["mmdebstrap", "--quiet", "--variant=minbase",
             "--dpkgopt=force-unsafe-io",
             *[f"--dpkgopt=path-exclude=/{path}" for path in UNUSED],
             "--dpkgopt=path-include=/usr/share/doc/*/copyright",
             DEBIAN, root, MIRROR], check=True, timeout=900)
        result = call("import", root, BASE)
    if result.returncode != 0:
        raise RuntimeError(result.stderr)


if __name__ == "__main__":
    sys.stdout.flush()
    whole = command(sys.argv[1:] or ["--help"])
    os.execvp(whole[0], whole)
