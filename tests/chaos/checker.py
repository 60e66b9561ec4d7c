"""What went in against what came out, in the words of the field.

It knows nothing of weir: it is given numbers, places and counts, and so it can't be
wrong together with what it judges.

    lost          confirmed to the sender, never delivered, and not to come: the
                  commit is past it, or no queue has it
    unseen        never delivered, but the broker still has it
    duplicate     delivered again; so many are allowed, by partition
    reordered     a lane (a key, or a partition) of one owner didn't go on with
                  its next message, and no new assignment explains that
    nonmonotonic  an offset was committed below an earlier one
    foreign       delivered, but never sent: torn, or made up
"""
import collections

NAMED = 3  # so many examples of each fault


class Stream:
    """What one owner delivered, in its order.

    `epochs` says how often it was given partitions (or a channel) anew; each
    beginning but the first may take a lane back to what was committed, or on to
    what others left.  `rewinds` says how often its destination's link broke: each
    may take a lane back to what was not confirmed there, and never on.
    """

    def __init__(self, owner, numbers, epochs=1, rewinds=0):
        self.owner, self.numbers = owner, numbers
        self.epochs, self.rewinds = epochs, rewinds


class Sent:
    """number: (partition, offset, key) of what was sent.

    `doubtful` were sent again after a lost connection, so that the broker may
    have them twice, and late; `unconfirmed` it may not have at all.
    """

    def __init__(self, places, doubtful=(), unconfirmed=()):
        self.places, self.doubtful = places, frozenset(doubtful)
        self.unconfirmed = frozenset(unconfirmed)

    def lanes(self, lane_of):
        """number: (lane, rank in it)"""
        ranks, next_rank = {}, collections.Counter()
        for number, place in sorted(self.places.items(),
                                    key=lambda item: item[1][:2]):
            if number not in self.doubtful:
                lane = lane_of(place)
                ranks[number] = lane, next_rank[lane]
                next_rank[lane] += 1
        return ranks


class Allowed:
    """How many may come again: of each partition, and of all together."""

    def __init__(self, partitions, in_all):
        self.partitions, self.in_all = partitions, in_all


LANES = {
    "partition": lambda place: place[0],
    "key": lambda place: (place[0], place[2]),
}
# What must be in order; a partition in order has its keys in order.
ORDERED = {"none": (), "key": ("key",), "partition": ("key", "partition")}


class Faults:
    """Lists of texts; `duplicates` is a Counter by partition."""

    def __init__(self):
        self.lost, self.unseen, self.foreign = [], [], []
        self.reordered = {"key": [], "partition": []}
        self.nonmonotonic, self.excess = [], []
        self.duplicates = collections.Counter()
        self.delivered = 0

    def texts(self):
        """One line a kind of fault; none: all is well."""
        kinds = (("lost", self.lost), ("unseen", self.unseen),
                 ("foreign", self.foreign),
                 ("reordered within key", self.reordered["key"]),
                 ("reordered within partition", self.reordered["partition"]),
                 ("nonmonotonic commit", self.nonmonotonic),
                 ("duplicates beyond the bound", self.excess))
        return [f"{len(found)} {kind}: "
                + "; ".join(str(one) for one in found[:NAMED])
                for kind, found in kinds if found]


def find_missing(sent, streams, is_left, faults):
    delivered = set()
    for stream in streams:
        delivered.update(stream.numbers)
        faults.delivered += len(stream.numbers)
        faults.foreign += [f"{number!r} by {stream.owner}" for number in
                           stream.numbers if number not in sent.places]
    for number in sorted(sent.places.keys() - delivered - sent.unconfirmed):
        twice = ", sent twice" if number in sent.doubtful else ""
        where = f"{number} at {sent.places[number]}{twice}"
        (faults.unseen if is_left(number) else faults.lost).append(where)


def find_duplicates(sent, streams, allowed, faults):
    times = collections.Counter()
    for stream in streams:
        times.update(stream.numbers)
    for number, count in times.items():
        place = sent.places.get(number)
        if place and count > 1 and number not in sent.doubtful:
            faults.duplicates[place[0]] += count - 1
    for partition, count in sorted(faults.duplicates.items()):
        most = allowed.partitions.get(partition, 0)
        if count > most:
            faults.excess.append(f"{count} of partition {partition}, allowed "
                                 f"are {most}")
    count = sum(faults.duplicates.values())
    if count > allowed.in_all:
        faults.excess.append(f"{count} in all, allowed are {allowed.in_all}")


def breaks_of(stream, ranks):
    """lane: (steps that went back, steps that left something out)"""
    last, breaks = {}, collections.defaultdict(lambda: ([], []))
    for number in stream.numbers:
        lane, rank = ranks.get(number, (None, 0))
        if lane is None:
            continue
        before = last.get(lane)
        if before is not None and rank != before[1] + 1:
            breaks[lane][rank > before[1]].append(
                f"{number} after {before[0]} of {lane}, by {stream.owner}")
        last[lane] = number, rank
    return breaks


def find_reordered(sent, streams, ordering, faults):
    for kind in ORDERED[ordering]:
        ranks = sent.lanes(LANES[kind])
        for stream in streams:
            for back, on in breaks_of(stream, ranks).values():
                unexplained = len(on) + max(len(back) - stream.rewinds, 0)
                if unexplained > max(stream.epochs - 1, 0):
                    faults.reordered[kind] += on + back


def find_nonmonotonic(commits, faults):
    highest = {}
    for partition, offset in commits:
        if offset < highest.get(partition, offset):
            faults.nonmonotonic.append(f"{offset} after {highest[partition]} "
                                       f"of partition {partition}")
        highest[partition] = max(offset, highest.get(partition, offset))
    return highest


def check(sent, streams, ordering, allowed, left=None, commits=None):
    """Returns the faults.

    `allowed` is an Allowed.  What the broker still has is `left` (a
    set of numbers) or what is not below the last of `commits`, which are
    (partition, offset) in the order in which they were made.
    """
    faults = Faults()
    committed = find_nonmonotonic(commits or (), faults)

    def is_left(number):
        if left is not None:
            return number in left
        partition, offset, _ = sent.places[number]
        return offset >= committed.get(partition, 0)

    find_missing(sent, streams, is_left, faults)
    find_duplicates(sent, streams, allowed, faults)
    find_reordered(sent, streams, ordering, faults)
    return faults
