"""What goes wrong, each as a strike on a running series.

A strike disturbs, mends, and returns since when messages must flow again, and
within how many seconds.
"""
SESSION_S = 6  # session.timeout.ms of the drills
AFTER_KILL_S = {"kafka": SESSION_S + 5, "amqp": 5}


def kill_weir(series):
    """kill -9 of weir, and another one in its place."""
    member = series.random.choice(series.members)
    member.kill()
    instant = series.watch.now()
    member.start()
    return instant, AFTER_KILL_S[series.source.kind]
