"""What deploy/ has is accepted by the programs that it is for.

Compose files by docker-compose, Kubernetes objects by the models of its own client (which
know every field), KEDA's by the schema that it installs in a cluster, the unit by
systemd-analyze, Prometheus's file by promtool, topologies by weir check.
"""
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))) +
                "/system")

import harness  # noqa: E402
from harness import expect, expect_equal  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
DEPLOY = f"{harness.ROOT}/deploy"
COMPOSE = f"{DEPLOY}/compose"
UNIT = f"{DEPLOY}/systemd/weir@.service"
MOST_EXPOSED = 15  # tenths, of 100; "OK" begins at 20
MARGIN_S = 5
KINDS = {("v1", "ConfigMap"): "V1ConfigMap", ("v1", "Secret"): "V1Secret",
         ("apps/v1", "Deployment"): "V1Deployment",
         ("policy/v1", "PodDisruptionBudget"): "V1PodDisruptionBudget"}


def need(what, is_there):
    if is_there:
        return
    text = f"there is no {what}: scripts/deps deploy"
    expect(os.environ.get("CI") != "true", text)
    harness.skip(text)


def said_by(*words, **options):
    result = subprocess.run(words, check=False, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, timeout=120,
                            **options)
    expect_equal(result.returncode, 0, f"{words[0]} says {result.stdout}")
    return result.stdout


def seconds(text):
    expect(text.endswith("s"), f"{text} is in seconds")
    return float(text[:-1])


def objects(name):
    import yaml
    with open(f"{DEPLOY}/kubernetes/{name}", encoding="utf-8") as file:
        return list(yaml.safe_load_all(file))


def one(name, kind):
    found, = [thing for thing in objects(name) if thing["kind"] == kind]
    return found


def weir_check(path, **variables):
    said_by(os.environ["WEIR"], "check", path, env={**os.environ, **variables})


def compose():
    """The file is valid, every file it mounts exists, and weir has time to drain."""
    need("docker-compose", shutil.which("docker-compose"))
    import yaml
    whole = yaml.safe_load(said_by("docker-compose", "-f",
                                   f"{COMPOSE}/compose.yaml", "config"))
    expect_equal(sorted(whole["services"]),
                 ["grafana", "kafka", "prometheus", "rabbitmq", "weir"],
                 "services")
    with open(f"{COMPOSE}/compose.yaml", encoding="utf-8") as file:
        services = yaml.safe_load(file)["services"]
    mounts = [mount.split(":")[0] for service in services.values()
              for mount in service.get("volumes", [])]
    for mount in mounts:
        expect(os.path.exists(f"{COMPOSE}/{mount}"), f"{mount} isn't there")
    for service in services.values():
        for port in service.get("ports", []):
            expect(port.startswith("127.0.0.1:"), f"{port} is open to others")
    with open(f"{COMPOSE}/topology.yaml", encoding="utf-8") as file:
        timeout = yaml.safe_load(file)["shutdown"]["timeout"]
    expect(seconds(services["weir"]["stop_grace_period"]) >=
           seconds(timeout) + MARGIN_S, "the drain would be cut short")
    weir_check(f"{COMPOSE}/topology.yaml")
    with open(f"{COMPOSE}/definitions.json", encoding="utf-8") as file:
        queues = [queue["name"] for queue in json.load(file)["queues"]]
    expect_equal(queues, ["orders"], "the queue that the topology writes to")


def known_by_the_client(thing):
    """Back from the client's own model as it went in: no field is unknown."""
    import kubernetes.client

    class Answer:
        data = json.dumps(thing)

    api = kubernetes.client.ApiClient()
    model = api.deserialize(Answer, KINDS[thing["apiVersion"], thing["kind"]])
    expect_equal(api.sanitize_for_serialization(model), thing,
                 f"the {thing['kind']}, as Kubernetes understands it")


def take_sleep(deployment):
    """`preStop.sleep` is younger than the client of Debian 12; returns it."""
    container, = deployment["spec"]["template"]["spec"]["containers"]
    sleep = container.pop("lifecycle")["preStop"].pop("sleep")
    expect_equal(list(sleep), ["seconds"], "the keys of sleep")
    return sleep["seconds"]


def kubernetes_objects():
    """Every field is one, and the pod has the time that its topology says."""
    try:
        import kubernetes.client  # noqa: F401
        import yaml
    except ImportError:
        need("python3-kubernetes", False)
    things = objects("weir.yaml")
    expect_equal(sorted(thing["kind"] for thing in things),
                 sorted(kind for _, kind in KINDS), "kinds")
    for thing in things:
        if thing["kind"] == "Deployment":
            sleep_s = take_sleep(thing)
        known_by_the_client(thing)
    pod = one("weir.yaml", "Deployment")["spec"]["template"]["spec"]
    text = one("weir.yaml", "ConfigMap")["data"]["topology.yaml"]
    topology = yaml.safe_load(text)
    expect(pod["terminationGracePeriodSeconds"] >= sleep_s +
           seconds(topology["shutdown"]["timeout"]) + MARGIN_S,
           "the drain would be cut short")
    container, = pod["containers"]
    port, = container["ports"]
    expect_equal(topology["admin"]["listen"],
                 f"0.0.0.0:{port['containerPort']}", "where probes ask")
    expect_equal({probe: container[probe]["httpGet"]["path"] for probe in
                  ("startupProbe", "livenessProbe", "readinessProbe")},
                 {"startupProbe": "/livez", "livenessProbe": "/livez",
                  "readinessProbe": "/readyz"}, "probes")
    check_with_secret(text)


def check_with_secret(text):
    with harness.scratch() as folder:
        for name, content in one("weir.yaml", "Secret")["stringData"].items():
            with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
                file.write(content)
        with open(f"{folder}/topology.yaml", "w", encoding="utf-8") as file:
            file.write(text.replace("/run/secrets/weir", folder))
        weir_check(f"{folder}/topology.yaml", KAFKA_BROKERS="kafka:9092")


def keda():
    """KEDA's own schema takes it; it scales what is there, by the group that the
    topology names."""
    import jsonschema
    import yaml
    with open(f"{HERE}/scaledobject.schema.json", encoding="utf-8") as file:
        schema = json.load(file)
    thing = one("keda.yaml", "ScaledObject")
    found = [error.message for error in
             jsonschema.Draft7Validator(schema).iter_errors(thing)]
    expect_equal(found, [], "what KEDA's schema says")
    scaled = thing["spec"]
    deployment = one("weir.yaml", "Deployment")
    topology = yaml.safe_load(
        one("weir.yaml", "ConfigMap")["data"]["topology.yaml"])
    kafka = topology["producer"]["kafka"]
    expect_equal(scaled["scaleTargetRef"],
                 {"kind": "Deployment", "name": deployment["metadata"]["name"]},
                 "what is scaled")
    trigger, = scaled["triggers"]
    expect_equal(trigger["type"], "kafka", "trigger")
    metadata = trigger["metadata"]
    expect(all(isinstance(value, str) for value in metadata.values()),
           "KEDA takes texts only")
    expect_equal((metadata["consumerGroup"], metadata["topic"]),
                 (kafka["group"], kafka["topics"][0]), "group and topic")


def systemd():
    """The unit is understood, and most of what can be taken away is."""
    need("systemd-analyze", shutil.which("systemd-analyze"))
    with open(UNIT, encoding="utf-8") as file:
        text = file.read()
    with harness.scratch() as folder:
        unit = f"{folder}/weir@.service"
        with open(unit, "w", encoding="utf-8") as file:
            file.write(text.replace("/usr/bin/weir",
                                    os.path.realpath(os.environ["WEIR"])))
        instance = f"{folder}/weir@orders.service"
        os.symlink(unit, instance)
        said = said_by("systemd-analyze", "verify", "--man=no", instance)
        expect("weir@" not in said, f"systemd-analyze verify: {said}")
        said_by("systemd-analyze", "security", "--offline=true",
                f"--threshold={MOST_EXPOSED}", unit)


def prometheus():
    """With the alerts where the container has them."""
    need("promtool", shutil.which("promtool"))
    import yaml
    with open(f"{COMPOSE}/compose.yaml", encoding="utf-8") as file:
        mounts = yaml.safe_load(file)["services"]["prometheus"]["volumes"]
    with harness.scratch() as folder:
        for mount in mounts:
            here, there, _ = mount.split(":")
            there = f"{folder}/{os.path.relpath(there, '/etc/prometheus')}"
            os.makedirs(os.path.dirname(there), exist_ok=True)
            shutil.copy(f"{COMPOSE}/{here}", there)
        said = said_by("promtool", "check", "config",
                       f"{folder}/prometheus.yml")
    expect("1 rule files found" in said, f"promtool: {said}")


if __name__ == "__main__":
    harness.main({"compose": compose, "kubernetes": kubernetes_objects,
                  "keda": keda, "systemd": systemd, "prometheus": prometheus})
