"""A single RabbitMQ node that belongs to whoever starts it.

Debian's wrappers in /usr/sbin change the user and drop the environment, so the
scripts below /usr/lib/rabbitmq are used.  Each node has an epmd of its own, on its
own port: with a shared one, nodes of parallel runs get into each other's way.
"""
import glob
import os
import secrets
import shutil
import socket
import subprocess

from . import process, tls
from .process import Failure

SERVER_NAME = "beam.smp"


def root():
    found = sorted(glob.glob("/usr/lib/rabbitmq/lib/rabbitmq_server-*"))
    if not found:
        raise Failure("RabbitMQ is not installed: scripts/deps test")
    return found[-1]


def install():
    root()


def assign_ports(options):
    names = ["AMQP", "DIST", "EPMD"] + (["TLS"] if options.get("tls") else []) \
        + (["HTTP"] if options.get("management") else [])
    return dict(zip(names, process.free_ports(len(names))))


def prepare(folder, ports, options):
    for name in ("home", "mnesia", "logs"):
        os.makedirs(f"{folder}/{name}", exist_ok=True)
    cookie = f"{folder}/home/.erlang.cookie"
    if not os.path.exists(cookie):
        process.write_file(cookie, secrets.token_hex(20))
        os.chmod(cookie, 0o400)
    lines = [f"listeners.tcp.1 = 127.0.0.1:{ports['AMQP']}",
             "disk_free_limit.absolute = 50MB", "heartbeat = 10"]
    if options.get("tls"):
        if not os.path.isdir(f"{folder}/tls"):
            tls.make(f"{folder}/tls")
        certificate = options.get("certificate", "server")
        lines += [f"listeners.ssl.1 = 127.0.0.1:{ports['TLS']}",
                  f"ssl_options.cacertfile = {folder}/tls/ca.pem",
                  f"ssl_options.certfile = {folder}/tls/{certificate}.pem",
                  f"ssl_options.keyfile = {folder}/tls/{certificate}.key",
                  "ssl_options.verify = verify_peer",
                  "ssl_options.fail_if_no_peer_cert = false"]
    lines += [" = ".join(pair.split("=", 1)) for pair in options.get("conf", [])]
    process.write_file(f"{folder}/rabbitmq.conf", "\n".join(lines) + "\n")
    plugins = []
    if options.get("management"):
        plugins = ["rabbitmq_management"]
        lines = ["collect_statistics_interval = 500",
                 "management.tcp.ip = 127.0.0.1",
                 f"management.tcp.port = {ports['HTTP']}"]
        with open(f"{folder}/rabbitmq.conf", "a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    process.write_file(f"{folder}/enabled_plugins", f"[{','.join(plugins)}].\n")
    process.write_file(f"{folder}/advanced.config",
                       "[{rabbit,[{channel_tick_interval,1000}]}].\n")


def node_environment(folder, ports):
    loopback = "-kernel inet_dist_use_interface {127,0,0,1}"
    return {
        "HOME": f"{folder}/home",
        "LANG": "C.UTF-8",
        "PATH": f"{root()}/sbin:/usr/lib/erlang/bin:"
                "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(ports["EPMD"]),
        "RABBITMQ_NODENAME": f"weir{ports['AMQP']}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(ports["AMQP"]),
        "RABBITMQ_DIST_PORT": str(ports["DIST"]),
        "RABBITMQ_MNESIA_BASE": f"{folder}/mnesia",
        "RABBITMQ_LOG_BASE": f"{folder}/logs",
        "RABBITMQ_PID_FILE": f"{folder}/mnesia/pid",
        "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
        "RABBITMQ_ADVANCED_CONFIG_FILE": f"{folder}/advanced.config",
        "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
        "RABBITMQ_CONF_ENV_FILE": f"{folder}/none",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": loopback,
        "RABBITMQ_CTL_ERL_ARGS": loopback,
    }


def command(folder, ports, options):
    del options
    return [f"{root()}/sbin/rabbitmq-server"], node_environment(folder, ports)


def is_ready(ports):
    """It answers the protocol header with the frame that opens a connection, and
    listens for TLS and HTTP, which it may begin later."""
    try:
        for name in ("TLS", "HTTP"):
            if name in ports:
                socket.create_connection(("127.0.0.1", ports[name]), 1).close()
        with socket.create_connection(("127.0.0.1", ports["AMQP"]), 1) as sock:
            sock.settimeout(2)
            sock.sendall(b"AMQP\0\0\x09\x01")
            return sock.recv(1) == b"\x01"
    except OSError:
        return False


def environment(folder, ports, options):
    lines = {"WEIR_AMQP": f"amqp://guest:guest@127.0.0.1:{ports['AMQP']}",
             "WEIR_AMQP_DIR": folder}
    if options.get("management"):
        lines["WEIR_AMQP_MANAGEMENT"] = \
            f"http://guest:guest@127.0.0.1:{ports['HTTP']}"
    if options.get("tls"):
        lines["WEIR_AMQP_TLS_DIR"] = f"{folder}/tls"
        lines["WEIR_AMQPS"] = f"amqps://guest:guest@localhost:{ports['TLS']}"
    return lines


def tool(folder, ports, arguments):
    """rabbitmqctl; another program of RabbitMQ's when the first word is one."""
    program = "rabbitmqctl"
    if shutil.which(arguments[0], path=f"{root()}/sbin"):
        program, *arguments = arguments
    return subprocess.run(
        [f"{root()}/sbin/{program}", "-q", *arguments], cwd=folder, check=False,
        env=node_environment(folder, ports)).returncode
