"""The checker finds each fault, and nothing where there is none."""
import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checker import Allowed, Sent, Stream, check  # noqa: E402

PARTITIONS, KEYS = 2, 3


def place(number):
    """Two partitions, three keys in each; 100 offsets begin at 10."""
    offset = number // PARTITIONS
    return number % PARTITIONS, 10 + offset, offset % KEYS


SENT = Sent({number: place(number) for number in range(60)})
ALL = list(range(60))


def found(streams, ordering="partition", allowed=None, sent=SENT, **more):
    if streams and not isinstance(streams[0], Stream):
        streams = [Stream("one", streams)]
    if not isinstance(allowed, Allowed):
        allowed = Allowed(allowed or {}, sum((allowed or {}).values()))
    return check(sent, streams, ordering, allowed, **more)


def swapped(first, second):
    numbers = list(ALL)
    numbers[first], numbers[second] = numbers[second], numbers[first]
    return numbers


def without(*numbers):
    return [number for number in ALL if number not in numbers]


class CheckerTest(unittest.TestCase):
    def test_all_once_in_order_is_no_fault(self):
        for ordering in ("none", "key", "partition"):
            faults = found(ALL, ordering, commits=[(0, 40), (1, 40)])
            self.assertEqual(faults.texts(), [])
            self.assertEqual(faults.delivered, 60)

    def test_a_message_that_the_commit_has_passed_is_lost(self):
        faults = found(without(7), "none", commits=[(0, 40), (1, 40)])
        self.assertEqual(faults.lost, [f"7 at {place(7)}"])
        self.assertEqual(faults.unseen, [])

    def test_a_message_above_the_commit_is_unseen(self):
        # Number 7 is at offset 13, which is what comes next after a commit of 13.
        faults = found(without(7), "none", commits=[(0, 40), (1, 13)])
        self.assertEqual(faults.unseen, [f"7 at {place(7)}"])
        self.assertEqual(faults.lost, [])
        self.assertEqual(found(without(7), "none",
                               commits=[(1, 14)]).lost, [f"7 at {place(7)}"])

    def test_without_a_commit_nothing_is_lost_yet(self):
        self.assertEqual(len(found(without(7), "none", commits=[]).unseen), 1)

    def test_a_message_in_no_queue_is_lost_and_one_in_a_queue_unseen(self):
        faults = found(without(7, 8), "none", left={8})
        self.assertEqual(faults.lost, [f"7 at {place(7)}"])
        self.assertEqual(faults.unseen, [f"8 at {place(8)}"])

    def test_what_the_broker_never_confirmed_can_not_be_lost(self):
        sent = Sent(SENT.places, unconfirmed={7, 8})
        faults = found(without(7, 9), "none", sent=sent, left=set())
        self.assertEqual(faults.lost, [f"9 at {place(9)}"])

    def test_what_was_never_sent_is_foreign(self):
        faults = found(ALL + [60, "0000"], "none")
        self.assertEqual(len(faults.foreign), 2)

    def test_duplicates_within_the_bound_are_counted_only(self):
        streams = [Stream("one", ALL), Stream("two", ALL[-10:])]
        faults = found(streams, allowed={0: 5, 1: 5})
        self.assertEqual(dict(faults.duplicates), {0: 5, 1: 5})
        self.assertEqual(faults.texts(), [])

    def test_duplicates_beyond_the_bound_of_one_partition_are_a_fault(self):
        streams = [Stream("one", ALL), Stream("two", ALL[-10:])]
        faults = found(streams, allowed={0: 4, 1: 100})
        self.assertEqual(len(faults.excess), 1)
        self.assertIn("partition 0", faults.excess[0])

    def test_duplicates_beyond_the_bound_of_all_are_a_fault(self):
        streams = [Stream("one", ALL), Stream("two", ALL[-10:])]
        faults = found(streams, allowed=Allowed({0: 100, 1: 100}, 9))
        self.assertEqual(faults.excess, ["10 in all, allowed are 9"])
        self.assertEqual(found(streams, allowed=Allowed(
            {0: 100, 1: 100}, 10)).texts(), [])

    def test_a_message_three_times_is_two_duplicates(self):
        faults = found(ALL + [3, 3], "none", allowed={1: 1})
        self.assertEqual(faults.duplicates[1], 2)
        self.assertEqual(len(faults.excess), 2)

    def test_keys_may_overtake_each_other_unless_the_partition_is_a_lane(self):
        # 8 and 10 are neighbours in partition 0, with different keys.
        self.assertEqual(found(swapped(8, 10), "key").texts(), [])
        faults = found(swapped(8, 10), "partition")
        self.assertTrue(faults.reordered["partition"])
        self.assertFalse(faults.reordered["key"])

    def test_two_of_one_key_in_the_wrong_order_are_reordered(self):
        # 8 and 14 have the same partition and key.
        faults = found(swapped(8, 14), "key")
        self.assertTrue(faults.reordered["key"])
        self.assertIn("14 after 2", faults.reordered["key"][0])
        self.assertTrue(found(swapped(8, 14), "partition").reordered["key"])

    def test_without_ordering_nothing_is_reordered(self):
        self.assertEqual(found(ALL[::-1], "none").texts(), [])

    def test_a_repetition_without_a_new_epoch_is_reordered(self):
        again = ALL[:30] + ALL[20:]
        faults = found(again, allowed={0: 5, 1: 5})
        self.assertTrue(faults.reordered["partition"])

    def test_a_new_epoch_goes_back_once(self):
        again = ALL[:30] + ALL[20:]
        faults = found([Stream("one", again, epochs=2)], allowed={0: 5, 1: 5})
        self.assertEqual(faults.texts(), [])
        twice = ALL[:30] + ALL[20:40] + ALL[30:]
        faults = found([Stream("one", twice, epochs=2)],
                       allowed={0: 10, 1: 10})
        self.assertTrue(faults.reordered["partition"])

    def test_a_broken_destination_goes_back_and_never_on(self):
        again = ALL[:30] + ALL[20:]
        faults = found([Stream("one", again, rewinds=1)], allowed={0: 5, 1: 5})
        self.assertEqual(faults.texts(), [])
        late = without(20, 22) + [20, 22]
        faults = found([Stream("one", late, rewinds=1)])
        self.assertTrue(faults.reordered["partition"])

    def test_a_gap_within_an_owner_is_reordered_even_if_another_fills_it(self):
        streams = [Stream("one", without(20, 22)), Stream("two", [20, 22])]
        self.assertTrue(found(streams).reordered["partition"])

    def test_owners_in_turn_are_each_in_order(self):
        streams = [Stream("one", ALL[:30]), Stream("two", ALL[30:])]
        self.assertEqual(found(streams).texts(), [])

    def test_what_was_sent_twice_is_neither_duplicate_nor_reordered(self):
        sent = Sent(SENT.places, doubtful={20, 21})
        numbers = ALL[:24] + [20, 21] + ALL[24:]
        self.assertEqual(found(numbers, sent=sent).texts(), [])
        self.assertTrue(found(numbers).texts())

    def test_a_commit_below_an_earlier_one_is_nonmonotonic(self):
        commits = [(0, 20), (1, 30), (0, 25), (0, 25), (1, 29), (0, 40)]
        faults = found(ALL, commits=commits)
        self.assertEqual(faults.nonmonotonic,
                         ["29 after 30 of partition 1"])

    def test_each_fault_has_its_line(self):
        streams = [Stream("one", without(7, 9) + [3, 99])]
        faults = found(streams, commits=[(1, 40), (1, 14)], left=None)
        text = "\n".join(faults.texts())
        for word in ("lost", "foreign", "reordered within key",
                     "reordered within partition", "nonmonotonic commit",
                     "duplicates beyond the bound"):
            self.assertIn(word, text)


if __name__ == "__main__":
    unittest.main()
