"""What goes wrong, each as a strike on a running series.

A strike disturbs, mends, and returns since when messages must flow again, and
within how many seconds.  The first line of its description is what --list says.
"""
import contextlib
import os
import signal
import time

from ends import TOTAL
from harness import Failed, await_that, expect

SESSION_S = 6  # session.timeout.ms of the drills
FLOW_S, REBALANCE_S, MOVE_S = 5, 10, 20
NOT_THERE = "isn't there yet"
AFTER_KILL_S = {"kafka": SESSION_S + 5, "amqp": FLOW_S}
LATE_S = 2  # how much later than its deadline a process may end, on a busy machine
SLOW_BYTES = 20000  # a second


def kill_weir(series):
    """kill -9 of weir, and another one in its place"""
    member = series.victim()
    series.breaks += 1
    member.kill()
    instant = series.watch.now()
    member.start()
    return instant, AFTER_KILL_S[series.source.kind]


# Brokers.

# RabbitMQ writes to disk only every 5 s who leads a quorum queue.  Killed before,
# and alone on its machine, it comes back without a leader or without messages.
WRITTEN_S = 6
# Then nobody is answered ("leader not known") until somebody calls an election.
ELECT = "[ra:trigger_election(amqqueue:get_pid(Q)) || Q <- rabbit_amqqueue:list()]."


def a_node(series):
    kinds = [kind for kind in (series.source.kind, series.end.kind)
             if kind != "file"]
    return series.site.nodes[series.random.choice(kinds)]


def queues_of(series, node):
    if node.kind != "rabbitmq":
        return []
    return [one.queue for one in (series.source, series.end)
            if one.kind == "amqp"]


def take_down(series, node, verb):
    """RabbitMQ delivers again what a connection of the source left."""
    series.breaks += node.kind == "rabbitmq" and series.source.kind == "amqp"
    node.do(verb)


def bring_back(series, node):
    """It is back when somebody leads its queues.  Nobody consumes to find out:
    what came to that one would come late to weir."""
    queues = queues_of(series, node)

    def is_back():
        try:
            for queue in queues:
                node.tool("eval", TOTAL.format(queue.name))
            return True
        except Failed:
            with contextlib.suppress(Failed):  # a long log is still being read
                node.tool("eval", ELECT)
            return False
    node.do("restart")
    await_that(is_back, "somebody leads the queues")


def returned(series, node, begun):
    """A Kafka that was away for longer than the session has a member in its
    group that is no more, and lets nobody in before that one's time is over."""
    instant = series.watch.now()
    is_expired = node.kind == "kafka" and instant - begun > SESSION_S - 1
    return instant, SESSION_S + FLOW_S if is_expired else FLOW_S


def restart_broker(series):
    """orderly restart of a broker"""
    node, begun = a_node(series), time.monotonic()
    take_down(series, node, "stop")
    bring_back(series, node)
    return returned(series, node, begun)


def restart_static(series):
    """restart of a broker, of whose group weir is a static member"""
    instant, _ = restart_broker(series)
    return instant, FLOW_S  # it is known when it comes back, however late


def kill_broker(series):
    """kill -9 of a broker, and its restart"""
    node = a_node(series)
    if node.kind == "rabbitmq":
        series.rest(WRITTEN_S, WRITTEN_S + 1)
    begun = time.monotonic()
    take_down(series, node, "kill")
    bring_back(series, node)
    return returned(series, node, begun)


def freeze_broker(series):
    """SIGSTOP of a broker, for 1 to 8 seconds"""
    node, begun = a_node(series), time.monotonic()
    node.do("freeze")
    series.rest(1, 8)
    node.do("thaw")
    return returned(series, node, begun)


# Links.

def a_link(series):
    """(link, whether it is the source's)"""
    sides = [(series.source.kind, "source"), (series.end.kind, "end")]
    kind, side = series.random.choice(
        [one for one in sides if one[0] != "file"])
    return series.site.links_of(kind, side), side == "source"


def disconnected(series, is_source):
    """RabbitMQ delivers again what a connection of the source left."""
    series.breaks += is_source and series.source.kind == "amqp"


def expired(series, seconds):
    """Within how many seconds messages flow after so many without a word."""
    is_out = series.source.kind == "kafka" and seconds > SESSION_S - 1
    return SESSION_S + FLOW_S if is_out else FLOW_S


def cut_link(series):
    """every connection of a link ends with a reset"""
    link, is_source = a_link(series)
    link.cut()
    disconnected(series, is_source)
    return series.watch.now(), FLOW_S


def stall_link(series):
    """a link stays open and carries nothing, for 1 to 8 seconds"""
    (link, _), begun = a_link(series), time.monotonic()
    link.stall()
    series.rest(1, 8)
    instant = time.monotonic()
    link.open()
    return instant, expired(series, instant - begun)


def slow_link(series):
    """a link carries 20 kB a second, for 2 to 4 seconds"""
    link, _ = a_link(series)
    link.slow(SLOW_BYTES)
    series.rest(2, 4)
    link.open()
    return series.watch.now(), FLOW_S


def refuse_link(series):
    """connections are cut and refused, for 1 to 4 seconds"""
    link, is_source = a_link(series)
    link.refuse()
    disconnected(series, is_source)
    series.rest(1, 4)
    instant = time.monotonic()
    link.open()
    return instant, FLOW_S


# The same in a network of weir's own, without a proxy's help.

def cut_network(series):
    """every connection in weir's network is destroyed (a namespace; root)"""
    series.site.namespace.cut()
    disconnected(series, True)
    return series.watch.now(), FLOW_S


def stall_network(series):
    """weir's network is silent for 1 to 6 seconds (a namespace; root)"""
    namespace, begun = series.site.namespace, time.monotonic()
    namespace.stall()
    series.rest(1, 6)
    instant = time.monotonic()
    namespace.open()
    # TCP tries again after twice the time that it has waited.
    return instant, SESSION_S + FLOW_S + instant - begun


def slow_network(series):
    """weir's network carries 20 kB a second, for 2 to 4 seconds (root)"""
    namespace = series.site.namespace
    namespace.slow(SLOW_BYTES)
    series.rest(2, 4)
    namespace.open()
    return series.watch.now(), FLOW_S


def refuse_network(series):
    """weir's network cuts and refuses, for 1 to 4 seconds (root)"""
    namespace = series.site.namespace
    namespace.refuse()
    disconnected(series, True)
    series.rest(1, 4)
    instant = time.monotonic()
    namespace.open()
    return instant, FLOW_S


# Ends.

def sigterm(series):
    """SIGTERM at a random instant, each tenth with the broker frozen, or down"""
    member, node = series.victim(), a_node(series)
    trouble = series.random.choice(("frozen", "down") + 8 * (None,))
    if trouble == "frozen":
        node.do("freeze")
    elif trouble == "down":
        node.do("stop")
    try:
        wrong = member.end(series.deadline_s + LATE_S, (0, 75))
    finally:
        if trouble == "frozen":
            node.do("thaw")
        elif trouble == "down":
            bring_back(series, node)
    if wrong:
        series.faults.append(wrong)
    expect(not member.run.is_alive(), f"{member.run.owner} doesn't end")
    instant = series.watch.now()
    member.start()
    return instant, AFTER_KILL_S[series.source.kind] if trouble else FLOW_S


def stop_weir(series):
    """SIGSTOP of weir itself, for 1 to 4 seconds"""
    process = series.victim().run.process
    process.send_signal(signal.SIGSTOP)
    series.rest(1, 4)
    instant = time.monotonic()
    process.send_signal(signal.SIGCONT)
    return instant, FLOW_S


def stand_still(series):
    """the handler stands still for 1 to 4 seconds"""
    with open(series.gate, "w", encoding="ascii"):
        pass
    series.rest(1, 4)
    instant = time.monotonic()
    series.open_gate()
    return instant, FLOW_S


# Members of a group.

def change_members(series):
    """a member leaves, is killed, or joins"""
    away = [one for one in series.members if not one.run.is_alive()]
    if away:
        instant = series.watch.now()
        away[0].start()
        return instant, REBALANCE_S
    member = series.random.choice(series.members)
    if series.random.random() < 0.5:
        series.breaks += 1
        member.kill()
        return series.watch.now(), AFTER_KILL_S["kafka"]
    instant = series.watch.now()
    wrong = member.end(series.deadline_s + LATE_S)
    if wrong:
        series.faults.append(wrong)
    return instant, REBALANCE_S


def come_and_go(series):
    """a member leaves, and joins again when the others go on without it"""
    member, instant = series.victim(), series.watch.now()
    wrong = member.end(series.deadline_s + LATE_S)
    if wrong:
        series.faults.append(wrong)
    series.await_flow(instant, REBALANCE_S, "without a member")
    instant = series.watch.now()
    member.start()
    return instant, REBALANCE_S


def move_leader(series):
    """kill -9 of the node that leads a partition or coordinates the group"""
    cluster, topic = series.site.cluster(), series.source.topic
    if series.random.random() < 0.5:
        number = cluster.coordinator(topic)
    else:
        number = cluster.leader(topic, series.random.randrange(
            len(series.source.partitions)))
    instant = series.watch.now()
    cluster.do("kill", number)
    series.await_flow(instant, MOVE_S, "without a node")
    cluster.do("restart", number)
    cluster.await_in_sync(topic)
    return series.watch.now(), FLOW_S


# Queues and disks.

def delete_queue(series):
    """a queue is deleted, and declared again after 1 to 3 seconds, or by weir"""
    source, run = series.source, series.members[0].run
    # What a deleted queue had is gone, and not by weir: let it be empty.
    with series.quiet():
        said, begun = run.log.count(NOT_THERE), run.epochs(source.kind)
        source.queue.delete()
        if "declare" in source.members:
            await_that(lambda: run.epochs(source.kind) > begun,
                       "weir has declared the queue")
        else:
            await_that(lambda: run.log.count(NOT_THERE) > said,
                       "weir says that the queue isn't there")
            series.rest(1, 3)
            source.queue.declare()
    return series.watch.now(), FLOW_S


def alarm(series):
    """the broker blocks publishers for want of memory, for 1 to 4 seconds"""
    node = series.site.nodes["amqp"]
    node.tool("set_vm_memory_high_watermark", "absolute", "20MB")
    series.rest(1, 4)
    node.tool("set_vm_memory_high_watermark", "0.4")
    return series.watch.now(), FLOW_S


def fill_disk(series):
    """the disk of the file is full for 1 to 4 seconds"""
    ballast = f"{series.end.folder}/ballast"
    with open(ballast, "wb", buffering=0) as file, \
            contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    series.rest(1, 4)
    instant = time.monotonic()
    os.remove(ballast)
    return instant, FLOW_S


def stand_sink(series):
    """the destination's link carries nothing for 1 to 8 seconds"""
    link = series.site.links_of(series.end.kind, "end")
    link.stall()
    series.rest(1, 8)
    instant = time.monotonic()
    link.open()
    return instant, FLOW_S


def slow_sink(series):
    """the destination's link carries 20 kB a second for 2 to 4 seconds"""
    link = series.site.links_of(series.end.kind, "end")
    link.slow(SLOW_BYTES)
    series.rest(2, 4)
    instant = time.monotonic()
    link.open()
    return instant, FLOW_S


# Memory.

def short_memory(series):
    """each n-th allocation of weir fails, for 1 to 3 seconds"""
    every = series.random.choice((1, 2, 3, 5, 10, 30))
    series.memory.order(every)
    series.rest(1, 3)
    instant = time.monotonic()
    failed = series.memory.end()
    series.hits.append(failed)
    return instant, FLOW_S


# Everything.

def suits(series):
    """What can befall this path, here."""
    kinds, place = (series.source.kind, series.end.kind), series.site
    yield from (kill_weir, sigterm, stop_weir, stand_still, come_and_go,
                freeze_broker, restart_broker, kill_broker, cut_link,
                stall_link, slow_link, refuse_link)
    if "amqp" in kinds:
        yield alarm
    if series.source.kind == "amqp":
        yield delete_queue
    if series.end.kind != "file":
        yield from (stand_sink, slow_sink)
    if series.has_small_disk:
        yield fill_disk
    if series.memory:
        yield short_memory
    if getattr(place, "namespace", None):
        yield from (cut_network, stall_network, slow_network, refuse_network)


def mixed(series):
    """one of all the others that suit the path; the first member is spared"""
    strike = series.random.choice(list(suits(series)))
    series.struck[strike.__name__] += 1
    return strike(series)
