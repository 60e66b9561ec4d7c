"""What goes wrong, each as a strike on a running series.

A strike disturbs, mends, and returns since when messages must flow again, and
within how many seconds.  The first line of its description is what --list says.
"""
import signal
import time

from harness import expect

SESSION_S = 6  # session.timeout.ms of the drills
FLOW_S = 5
AFTER_KILL_S = {"kafka": SESSION_S + 5, "amqp": FLOW_S}
SLOW_BYTES = 20000  # a second


def kill_weir(series):
    """kill -9 of weir, and another one in its place"""
    member = series.random.choice(series.members)
    member.kill()
    instant = series.watch.now()
    member.start()
    return instant, AFTER_KILL_S[series.source.kind]


# Brokers.

def a_node(series):
    kinds = [kind for kind in (series.source.kind, series.end.kind)
             if kind != "file"]
    return series.site.nodes[series.random.choice(kinds)]


def restart_broker(series):
    """orderly restart of a broker"""
    node = a_node(series)
    node.do("stop")
    node.do("restart")
    return series.watch.now(), FLOW_S


def kill_broker(series):
    """kill -9 of a broker, and its restart"""
    node = a_node(series)
    node.do("kill")
    node.do("restart")
    return series.watch.now(), FLOW_S


def freeze_broker(series):
    """SIGSTOP of a broker, for 1 to 8 seconds"""
    node = a_node(series)
    node.do("freeze")
    series.rest(1, 8)
    instant = time.monotonic()
    node.do("thaw")
    return instant, FLOW_S


# Links.

def a_link(series):
    sides = [(series.source.kind, "source"), (series.end.kind, "end")]
    kind, side = series.random.choice(
        [one for one in sides if one[0] != "file"])
    return series.site.links_of(kind, side)


def cut_link(series):
    """every connection of a link ends with a reset"""
    a_link(series).cut()
    return series.watch.now(), FLOW_S


def stall_link(series):
    """a link stays open and carries nothing, for 1 to 8 seconds"""
    link = a_link(series)
    link.stall()
    series.rest(1, 8)
    instant = time.monotonic()
    link.open()
    return instant, FLOW_S


def slow_link(series):
    """a link carries 20 kB a second, for 2 to 4 seconds"""
    link = a_link(series)
    link.slow(SLOW_BYTES)
    series.rest(2, 4)
    link.open()
    return series.watch.now(), FLOW_S


def refuse_link(series):
    """connections are cut and refused, for 1 to 4 seconds"""
    link = a_link(series)
    link.refuse()
    series.rest(1, 4)
    instant = time.monotonic()
    link.open()
    return instant, FLOW_S


# Ends.

def sigterm(series):
    """SIGTERM at a random instant, each fifth with the broker frozen"""
    member = series.random.choice(series.members)
    node = a_node(series)
    is_frozen = series.random.random() < 0.2
    if is_frozen:
        node.do("freeze")
    try:
        wrong = member.end(series.deadline_s + 5, (0, 75))
    finally:
        if is_frozen:
            node.do("thaw")
    if wrong:
        series.faults.append(wrong)
    expect(not member.run.is_alive(), f"{member.run.owner} doesn't end")
    instant = series.watch.now()
    member.start()
    limit_s = AFTER_KILL_S[series.source.kind] if is_frozen else FLOW_S
    return instant, limit_s


def stop_weir(series):
    """SIGSTOP of weir itself, for 1 to 4 seconds"""
    process = series.random.choice(series.members).run.process
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
