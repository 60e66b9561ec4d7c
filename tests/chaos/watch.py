"""When something was delivered, and for how long nothing was."""
import threading
import time

TICK_S = 0.02


class Watch:
    """Asks `count()` all the time: a count for each lane, such as a partition,
    or None when nobody knows now."""

    def __init__(self, count):
        self.count = count
        self.last, self.moves = {}, {}  # by lane: its count, when it changed
        self.asked = 0
        self.is_ending = threading.Event()
        self.error = None
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def run(self):
        try:
            while not self.is_ending.wait(TICK_S):
                found = self.count()
                self.asked += 1
                for lane, count in (found or {}).items():
                    if count != self.last.get(lane, 0):
                        self.last[lane] = count
                        self.moves.setdefault(lane, []).append(
                            time.monotonic())
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def end(self):
        self.is_ending.set()
        self.thread.join(30)

    def now(self):
        """An instant; whatever was delivered before it was seen before it."""
        wanted, deadline = self.asked + 2, time.monotonic() + 10
        while self.asked < wanted and time.monotonic() < deadline:
            time.sleep(TICK_S / 4)
        return time.monotonic()

    def resumed(self, instant, lanes):
        """When the last of so many lanes moved after the instant, or None."""
        firsts = [next((move for move in list(moves) if move > instant), None)
                  for moves in list(self.moves.values())]
        if len(firsts) < lanes or None in firsts:
            return None
        return max(firsts)

    def longest_stall(self):
        """Between two deliveries of one lane."""
        return max((after - before for moves in self.moves.values()
                    for before, after in zip(moves, moves[1:])), default=0.0)
