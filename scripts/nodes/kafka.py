"""A single Apache Kafka node (KRaft), tuned to start fast.

Its jars come from Maven Central once, into the cache; there too are an archive of
loaded classes, which halves the start, and formatted storage to copy.
"""
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time

from . import process, tls, wire
from .process import Failure

VERSION = "3.9.1"
POM = """<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>weir</groupId><artifactId>kafka</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId><version>{0}</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId>
      <artifactId>kafka-tools</artifactId><version>{0}</version></dependency>
  </dependencies>
</project>
"""
LOGGING = """log4j.rootLogger=WARN, stdout
log4j.appender.stdout=org.apache.log4j.ConsoleAppender
log4j.appender.stdout.layout=org.apache.log4j.PatternLayout
log4j.appender.stdout.layout.ConversionPattern=%d %p %m (%c)%n
"""
PROPERTIES = """process.roles=broker,controller
node.id={id}
controller.quorum.voters={voters}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAIN
log.dirs={folder}/data
num.partitions=4
auto.create.topics.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=1500
broker.heartbeat.interval.ms=300
controlled.shutdown.enable=false
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=4194304
"""
# Of three nodes one may be away; a leader or coordinator moves within seconds.
CLUSTER = """default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
controller.quorum.election.timeout.ms=500
controller.quorum.fetch.timeout.ms=1000
controller.quorum.election.backoff.max.ms=300
replica.lag.time.max.ms=2000
controlled.shutdown.enable=true
log.cleaner.dedupe.buffer.size=2097152
"""
# Listeners with TLS: name, protocol, certificate, variable.
SECURE = (
    ("TLS", "SSL", "server", "WEIR_KAFKA_TLS"),
    ("SASL", "SASL_SSL", "server", "WEIR_KAFKA_SASL"),
    ("WRONGHOST", "SSL", "wronghost", "WEIR_KAFKA_WRONG_HOST"),
    ("EXPIRED", "SSL", "expired", "WEIR_KAFKA_EXPIRED"),
)
SASL = """listener.name.sasl.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256
listener.name.sasl.plain.sasl.jaas.config=\
org.apache.kafka.common.security.plain.PlainLoginModule required \
user_alice="alice-secret" user_eve="eve-secret";
listener.name.sasl.scram-sha-256.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
connection.failed.authentication.delay.ms=100
"""
# Whoever comes in without TLS is the administrator; alice and bob need leave.
ACL = """authorizer.class.name=\
org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=false
"""
SCRAM_USER = "SCRAM-SHA-256=[name=bob,password=bob-secret]"

SERVER_NAME = "java"


def cache():
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(home, "weir", f"kafka-{VERSION}")


def jars():
    return os.path.join(cache(), "jars")


def java(memory, throughput=False):
    command = ["java", f"-Xmx{memory}", "-XX:+UseSerialGC",
               f"-Dlog4j.configuration=file:{cache()}/log4j.properties"]
    if not throughput:
        command.append("-XX:TieredStopAtLevel=1")
    archive = os.path.join(cache(), "classes.jsa")
    if os.path.exists(archive):
        command += [f"-XX:SharedArchiveFile={archive}", "-Xlog:cds=off",
                    "-Xlog:cds+dynamic=off"]
    return command


def run_tool(*arguments, **options):
    return subprocess.run(
        [*java("128m"), "-cp", f"{jars()}/*", *arguments],
        stdin=subprocess.DEVNULL, check=False, **options)


def first_error(log):
    with open(log, encoding="utf-8", errors="replace") as file:
        for line in file:
            if "[ERROR]" in line:
                return line.partition("[ERROR]")[2].strip()
    return "maven did not say why"


def fetch_jars():
    with tempfile.TemporaryDirectory(dir=cache()) as folder:
        process.write_file(f"{folder}/pom.xml", POM.format(VERSION))
        log = os.path.join(cache(), "maven.log")
        with open(log, "wb") as file:
            done = subprocess.run(
                ["mvn", "-q", "-B", "dependency:copy-dependencies",
                 f"-DoutputDirectory={folder}/jars"], cwd=folder, check=False,
                stdin=subprocess.DEVNULL, stdout=file, stderr=file)
        if done.returncode != 0:
            raise Failure("cannot fetch Kafka's jars from Maven Central, or "
                          "the mirror in ~/.m2/settings.xml: "
                          f"{first_error(log)} (all of it: {log})")
        os.rename(f"{folder}/jars", jars())


def format_template(name, *arguments):
    with tempfile.TemporaryDirectory(dir=cache()) as folder:
        write_properties(folder, {"PLAIN": 1, "CONTROLLER": 2}, {})
        done = run_tool(
            "kafka.tools.StorageTool", "format", "-t", "d2VpcndlaXJ3ZWlyd2VpcA",
            "-c", f"{folder}/server.properties", *arguments,
            capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"cannot format Kafka's storage: {done.stderr}")
        os.rename(f"{folder}/data", os.path.join(cache(), name))


def archive_classes():
    """A normal run that writes down which classes it loaded when it ends."""
    with tempfile.TemporaryDirectory(dir=cache()) as folder:
        ports = assign_ports({})
        prepare(folder, ports, {})
        command = java("512m") + [
            f"-XX:ArchiveClassesAtExit={folder}/classes.jsa",
            "-cp", f"{jars()}/*", "kafka.Kafka", f"{folder}/server.properties"]
        with open(f"{folder}/log", "wb") as log:
            node = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                    stdout=log, stderr=log,
                                    start_new_session=True,
                                    preexec_fn=process.die_with_parent)
            try:
                deadline = time.monotonic() + 120
                while not is_ready(ports) and node.poll() is None:
                    if time.monotonic() >= deadline:
                        break
                    time.sleep(0.1)
                node.send_signal(signal.SIGTERM)
                node.wait(120)
            finally:
                node.kill()
                node.wait()
        if os.path.exists(f"{folder}/classes.jsa"):
            os.rename(f"{folder}/classes.jsa",
                      os.path.join(cache(), "classes.jsa"))


def install():
    """Once per machine; a second caller waits for the first."""
    os.makedirs(cache(), exist_ok=True)
    with open(os.path.join(cache(), "lock"), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process.write_file(f"{cache()}/log4j.properties", LOGGING)
        if not os.path.isdir(jars()):
            fetch_jars()
        if not os.path.isdir(f"{cache()}/plain"):
            format_template("plain")
        if not os.path.isdir(f"{cache()}/scram"):
            format_template("scram", "--add-scram", SCRAM_USER)
        if not os.path.exists(f"{cache()}/classes.jsa"):
            archive_classes()


def assign_ports(options):
    names = ["PLAIN", "CONTROLLER"]
    if options.get("tls"):
        names += [listener[0] for listener in SECURE]
    if options.get("advertise"):
        names.append("BEHIND")
    return dict(zip(names, process.free_ports(len(names))))


def write_properties(folder, ports, options):
    listeners = {"PLAIN": ("127.0.0.1", "PLAINTEXT"),
                 "CONTROLLER": ("127.0.0.1", "PLAINTEXT")}
    advertised = {}
    if options.get("advertise"):
        listeners["BEHIND"] = ("127.0.0.1", "PLAINTEXT")
        advertised["BEHIND"] = options["advertise"]
    lines = [PROPERTIES.format(
        folder=folder, id=options.get("id", 1), voters=options.get(
            "voters", f"1@127.0.0.1:{ports['CONTROLLER']}"))]
    if options.get("voters"):
        lines.append(CLUSTER)
    if options.get("tls"):
        for name, protocol, certificate, _ in SECURE:
            listeners[name] = ("localhost", protocol)
            prefix = f"listener.name.{name.lower()}.ssl."
            lines += [f"{prefix}keystore.type=PEM",
                      f"{prefix}keystore.location="
                      f"{folder}/tls/{certificate}.store.pem",
                      f"{prefix}truststore.type=PEM",
                      f"{prefix}truststore.location={folder}/tls/ca.pem",
                      f"{prefix}client.auth=requested"]
        lines.append(SASL)
    if options.get("acl"):
        lines.append(ACL)
    lines += [
        "listeners=" + ",".join(
            f"{name}://127.0.0.1:{ports[name]}" for name in listeners),
        "advertised.listeners=" + ",".join(
            f"{name}://" + advertised.get(name, f"{host}:{ports[name]}")
            for name, (host, _) in listeners.items() if name != "CONTROLLER"),
        "listener.security.protocol.map=" + ",".join(
            f"{name}:{protocol}" for name, (_, protocol) in listeners.items()),
        *options.get("conf", [])]
    process.write_file(f"{folder}/server.properties", "\n".join(lines) + "\n")


def prepare(folder, ports, options):
    """Everything but the process; storage that is there is kept."""
    if options.get("tls") and not os.path.isdir(f"{folder}/tls"):
        tls.make(f"{folder}/tls")
    write_properties(folder, ports, options)
    if not os.path.isdir(f"{folder}/data"):
        template = "scram" if options.get("tls") else "plain"
        shutil.copytree(f"{cache()}/{template}", f"{folder}/data")
        number_data(f"{folder}/data/meta.properties", options.get("id", 1))


def number_data(path, number):
    """The template's storage is that of node 1."""
    with open(path, encoding="utf-8") as file:
        lines = [line for line in file.read().splitlines()
                 if number == 1 or not line.startswith(("node.id", "directory"))]
    if number != 1:
        lines.append(f"node.id={number}")
    process.write_file(path, "\n".join(lines) + "\n")


def cluster_options(nodes):
    """What each of several nodes is told of the others."""
    voters = ",".join(f"{node.options['id']}@127.0.0.1:"
                      f"{node.ports['CONTROLLER']}" for node in nodes)
    return {"voters": voters}


def command(folder, ports, options):
    del ports
    throughput = options.get("throughput", False)
    memory = "192m" if options.get("voters") else "512m"
    return ([*java("1g" if throughput else memory, throughput), "-cp",
             f"{jars()}/*", "kafka.Kafka", f"{folder}/server.properties"],
            dict(os.environ))


def is_ready(ports):
    try:
        return wire.partitions(ports["PLAIN"], timeout_s=2) is not None
    except OSError:
        return False


def environment(folder, ports, options):
    lines = {"WEIR_KAFKA": f"127.0.0.1:{ports['PLAIN']}",
             "WEIR_KAFKA_DIR": folder, "WEIR_KAFKA_BIN": jars()}
    if options.get("advertise"):
        lines["WEIR_KAFKA_BEHIND"] = f"127.0.0.1:{ports['BEHIND']}"
    if options.get("tls"):
        lines["WEIR_KAFKA_TLS_DIR"] = f"{folder}/tls"
        for name, _, _, variable in SECURE:
            lines[variable] = f"localhost:{ports[name]}"
    return lines


def tool(folder, ports, arguments):
    del folder
    install()
    return run_tool(arguments[0], "--bootstrap-server",
                    f"127.0.0.1:{ports['PLAIN']}", *arguments[1:]).returncode
