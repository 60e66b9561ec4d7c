"""Processes and ports.

Every node runs under a keeper, a small process that is the node's parent and
adopts whatever the node leaves behind (epmd, helper processes).  It holds a lock
on DIR/lock for as long as anything of the node lives, so "is it running?" and
"wait until it is gone" are questions about a lock, and neither zombies nor
reused process numbers can lie about it.

A keeper stops its node when it is told to (SIGTERM), when the node ends, and
when its owner (`scripts/brokers run`) is gone.
"""
import ctypes
import fcntl
import os
import random
import select
import signal
import socket
import subprocess
import sys
import time

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
STOP_TIMEOUT_S = 20

libc = ctypes.CDLL(None, use_errno=True)


class Failure(Exception):
    """What the user should read, without a stack trace."""


def free_ports(count):
    """Distinct ports on loopback, below the range the kernel gives out."""
    held, ports = [], []
    while len(ports) < count:
        port = random.randint(20000, 32767)
        sock = socket.socket()
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            sock.close()
            continue
        held.append(sock)
        ports.append(port)
    for sock in held:
        sock.close()
    return ports


def adopt_orphans():
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(root):
    """Process numbers below `root`, with their names."""
    parents, names = {}, {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8",
                      errors="replace") as file:
                stat = file.read()
        except OSError:
            continue
        name, rest = stat[stat.index("(") + 1:].rsplit(")", 1)
        state, parent = rest.split()[:2]
        if state != "Z":
            parents[int(entry)] = int(parent)
            names[int(entry)] = name
    found, added = {}, {root}
    while added:
        added = {p for p, parent in parents.items()
                 if parent in added and p not in found}
        found.update((p, names[p]) for p in added)
    return found


def kill_descendants():
    """Ends and reaps all that is below this process."""
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while time.monotonic() < deadline:
        below = descendants(os.getpid())
        for pid in below:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        try:
            pid, _ = os.waitpid(-1, 0 if below else os.WNOHANG)
        except ChildProcessError:
            return
        if not below and pid == 0:
            return


class Lock:
    """The lock that a node's keeper holds; the file has the keeper's number."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "lock")
        self.fd = None

    def take(self, timeout_s=0):
        """True: nothing of the node lives, and we hold the lock now."""
        if self.fd is None:
            self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    return False
            time.sleep(0.02)

    def free(self):
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None

    def is_held(self):
        held = not self.take()
        self.free()
        return held

    def holder(self):
        with open(self.path, encoding="ascii") as file:
            return int(file.read() or 0)


def write_file(path, text):
    temporary = f"{path}.{os.getpid()}"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(temporary, path)


def die_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def reap_orphans(node_pid):
    """All ended children but the node, which its own poll() reaps."""
    while True:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None or ended.si_pid == node_pid:
            return
        os.waitpid(ended.si_pid, 0)


def keep(folder, lock, command, environment, server_name, owner):
    """The keeper's whole life; called in a process of its own."""
    adopt_orphans()
    # The lock stays with this file description, which the node never gets.
    os.ftruncate(lock.fd, 0)
    os.pwrite(lock.fd, str(os.getpid()).encode(), 0)
    wake, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    asked = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: asked.append(True))
    signal.signal(signal.SIGCHLD, lambda *_: None)
    poll = select.poll()
    poll.register(wake, select.POLLIN)
    if owner:
        try:
            poll.register(os.pidfd_open(owner), select.POLLIN)
        except OSError:
            return
    with open(os.path.join(folder, "log"), "ab") as log:
        node = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, start_new_session=True,
            preexec_fn=die_with_parent)
    deadline = None
    while node.poll() is None:
        timeout_ms = None
        if deadline:
            timeout_ms = (deadline - time.monotonic()) * 1000
            if timeout_ms <= 0:
                break
        for fd, _ in poll.poll(timeout_ms):
            if fd == wake:
                os.read(wake, 100)
                reap_orphans(node.pid)
            else:
                poll.unregister(fd)
                asked.append(True)
        if asked and not deadline:
            deadline = time.monotonic() + STOP_TIMEOUT_S
            for pid in server_pids(server_name):
                os.kill(pid, signal.SIGTERM)
                os.kill(pid, signal.SIGCONT)
            if not server_pids(server_name):
                break
    kill_descendants()


def server_pids(name, keeper=None):
    below = descendants(keeper or os.getpid())
    return [pid for pid, its_name in below.items() if its_name == name]


def start_keeper(folder, lock, *arguments):
    """Gives `lock` to a new process that outlives this one."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        lock.free()
        return
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        null = os.open(os.devnull, os.O_RDWR)
        log = os.open(os.path.join(folder, "log"),
                      os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        for target, source in ((0, null), (1, log), (2, log)):
            os.dup2(source, target)
        os.closerange(3, lock.fd)
        os.closerange(lock.fd + 1, 256)
        keep(folder, lock, *arguments)
    except BaseException as error:  # the log is all that can be told
        print(f"keeper: {error!r}", file=sys.stderr, flush=True)
        kill_descendants()
    finally:
        os._exit(0)
