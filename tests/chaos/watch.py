"""When something was delivered, and for how long nothing was."""
import threading
import time

TICK_S = 0.02


class Watch:
    """Asks `count()` all the time; an answer may be None (nobody knows now)."""

    def __init__(self, count):
        self.count = count
        self.last, self.moves = None, []  # when the count grew
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
                if found is not None and found != self.last:
                    self.last = found
                    self.moves.append(time.monotonic())
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

    def has_moved_since(self, instant):
        return bool(self.moves) and self.moves[-1] > instant

    def first_after(self, instant):
        return next((move for move in self.moves if move > instant), None)

    def longest_stall(self):
        """Between two deliveries."""
        return max((after - before for before, after in
                    zip(self.moves, self.moves[1:])), default=0.0)
