# SPDX-License-Identifier: GPL-2.0-or-later
"""The life of the values: 0 before the first snapshot, kept after N, different per abi, and true.

The simulated memory has a known truth, so percentiles and bandwidth can be compared with it.
"""
import os
import time
import unittest

from snapshots import LATE_SECONDS, Run
from support import (AGGR, BANDWIDTH, ENABLED, FAST, FILES, IDLE, PID, Mount, is_fast_aggr,
                     is_sanitized, wait_for)

MIB = 1 << 20
ZEROS = [0] * 101


def check_bandwidth(test, mount, true, share=0.0):
    """Never more than this and its share, and about this when no check of an aggregation came late."""
    def is_true():
        test.assertLessEqual(found := mount.value(BANDWIDTH), (1 + share) * true)
        return found >= (1 - share) * true
    wait_for(is_true, what=f"a bandwidth of {true}")


class Life(unittest.TestCase):
    def test_enabled_default_is_n(self):
        with Mount() as mount:
            self.assertEqual(mount.read(), b"N\n")

    def test_enabled_option(self):
        for word, state in (("Y", b"Y\n"), ("N", b"N\n")):
            with self.subTest(word), Mount(enabled=word, abi="7.2") as mount:
                self.assertEqual(mount.read(), state)
                self.assertEqual(mount.value(PID) > 0, word == "Y")

    def test_zero_until_the_first_snapshot(self):
        """Not before refresh_ms has passed, and not as late as with the default of 5 s."""
        with Mount(**{**FAST, "refresh_ms": 700}, abi="7.2") as mount:
            run = Run(mount)
            while True:
                found = mount.numbers(), mount.value(BANDWIDTH), mount.value(AGGR)
                if run.seconds() >= 0.7:
                    break
                self.assertEqual(found, (ZEROS, 0, 0))
            mount.wait_snapshot(2.5)
            self.assertTrue(is_fast_aggr(aggr_us := mount.value(AGGR)), aggr_us)

    def test_refresh_is_the_distance_of_snapshots(self):
        """At the first aggregation of 10 ms that ends later than 400 ms after the last one."""
        with Mount(**{**FAST, "refresh_ms": 400}, sim="1G@never") as mount:
            run = Run(mount)
            run.next_snapshot()
            first, second = run.next_snapshot(), run.next_snapshot()
            most, least = second.latest - first.earliest, second.earliest - first.latest
            self.assertGreaterEqual(most, 0.4)
            self.assertLess(least, 0.4 + LATE_SECONDS)
            between = (second.numbers[100] - first.numbers[100]) / 1000
            self.assertTrue(0.399 <= between < 0.4 + 2 * LATE_SECONDS, between)

    def test_values_outlive_off(self):
        """Several refreshes of 20 ms later they are the same."""
        with Mount(**FAST, abi="7.2", enabled="Y") as mount:
            mount.wait_snapshot()
            mount.write(b"N")
            kept = {name: mount.read(name) for name in FILES["7.2"]}
            self.assertEqual((kept[ENABLED], kept[PID]), (b"N\n", b"-1\n"))
            self.assertTrue(is_fast_aggr(int(kept[AGGR])), kept[AGGR])
            time.sleep(0.1)
            self.assertEqual({name: mount.read(name) for name in FILES["7.2"]}, kept)

    def test_old_values_stay_until_the_first_window_after_on(self):
        with Mount(**{**FAST, "refresh_ms": 500}, abi="7.2", enabled="Y") as mount:
            mount.wait_snapshot()
            mount.write(b"N")
            kept = [mount.read(name) for name in (IDLE, BANDWIDTH, AGGR)]
            run = Run(mount)
            self.assertGreater(mount.value(PID), 0)
            while True:
                found = [mount.read(name) for name in (IDLE, BANDWIDTH, AGGR)]
                if run.seconds() >= 0.5:
                    break
                self.assertEqual(found, kept)
            wait_for(lambda: mount.read(IDLE) != kept[0], 5, "a snapshot of the second run")

    def test_pid_is_a_thread_of_the_daemon(self):
        with Mount(**FAST, abi="7.2") as mount:
            for _ in range(3):
                self.assertEqual(mount.read(PID), b"-1\n")
                mount.write(b"Y")
                thread = mount.value(PID)
                self.assertIn(str(thread), os.listdir(f"/proc/{mount.pid}/task"))
                if not is_sanitized("thread"):  # which adds threads of its own
                    self.assertEqual(len(os.listdir(f"/proc/{mount.pid}/task")), 2)
                mount.write(b"N")
                wait_for(lambda: str(thread) not in os.listdir(f"/proc/{mount.pid}/task"))

    def test_tuned_interval_is_shown(self):
        """Nothing is ever accessed: the interval doubles every aggrs aggregations."""
        with Mount(sim="1G@never", sample_us=1000, min_sample_us=1000, aggr_us=10000,
                   refresh_ms=20, abi="6.18", enabled="Y", max_cpu=100,
                   estimator="regions") as mount:
            wait_for(lambda: mount.value(AGGR) >= 40000, 3, "a longer interval")
            self.assertEqual(mount.value(AGGR) % 10, 0, "not ten samples any more")


class Truth(unittest.TestCase):
    """256 MiB hot, 768 MiB never touched; all three abis show the same engine."""
    options = {**FAST, "sample_us": 5000, "aggr_us": 50000, "sim": "256M@1ms+768M@never"}
    IDLE_MS = 1500  # by then the regions have found where the hot part ends

    @classmethod
    def setUpClass(cls):
        mounts = {abi: Mount(abi=abi, **cls.options) for abi in FILES}
        for mount in mounts.values():
            mount.__enter__()
            cls.addClassCleanup(mount.__exit__, None)
        cls.runs = {abi: Run(mount) for abi, mount in mounts.items()}
        cls.seen = {abi: run.wait_idle(cls.IDLE_MS) for abi, run in cls.runs.items()}

    def test_a_quarter_is_accessed(self):
        for abi, seen in self.seen.items():
            with self.subTest(abi=abi):
                accessed = sum(number <= 0 for number in seen.numbers)
                self.assertTrue(20 <= accessed <= 31, f"{accessed} of 101: {seen.numbers}")

    def test_accessed_is_zero_in_6_17(self):
        self.assertEqual(self.seen["6.17"].numbers[:20], [0] * 20)

    def test_accessed_is_negative_since_6_18(self):
        """For how long: regions that were split off later may have a shorter past."""
        for abi in ("6.18", "7.2"):
            with self.subTest(abi=abi):
                seen, run = self.seen[abi], self.runs[abi]
                self.assertLess(max(seen.numbers[:20]), 0, seen.numbers)
                self.assertNotIn(0, seen.numbers)
                elapsed = 1000 * (seen.latest - run.begun)
                self.assertTrue(0.5 * elapsed <= -seen.numbers[0] <= elapsed, (elapsed, seen))

    def test_idle_time_is_real_time(self):
        for abi, seen in self.seen.items():
            with self.subTest(abi=abi):
                for percent in (60, 100):
                    self.runs[abi].check_never_accessed(self, seen.numbers[percent], seen)

    def test_percentiles_are_sorted(self):
        for abi, seen in self.seen.items():
            with self.subTest(abi=abi):
                self.assertEqual(seen.numbers, sorted(seen.numbers))

    def test_bandwidth(self):
        """Every check of the hot part is a hit: its size per sampling interval, or less when it came late."""
        for abi, run in self.runs.items():
            with self.subTest(abi=abi):
                check_bandwidth(self, run.mount, 256 * MIB * 200, 0.25)


class Extremes(unittest.TestCase):
    """All of the memory is hot or never touched, so that each answer is known exactly."""

    def test_all_hot(self):
        with Mount(**FAST, sim="1G@1us", abi="6.18", enabled="Y") as mount:
            mount.wait_snapshot()
            self.assertLess(mount.numbers()[100], 0)
            check_bandwidth(self, mount, (1 << 30) * 1000)

    def test_sizes(self):
        for size in ("4K", "8K", "1M", "1G", "64T", "4096T"):
            with self.subTest(size), Mount(**FAST, sim=f"{size}@never", enabled="Y") as mount:
                mount.wait_snapshot()
                self.assertGreater(mount.numbers()[0], 0)

    def test_huge_hot_memory_does_not_wrap(self):
        with Mount(**FAST, sim="1024T@1us", enabled="Y") as mount:
            check_bandwidth(self, mount, (1024 << 40) * 1000)
            self.assertEqual(mount.numbers(), ZEROS)

    def test_seed_does_not_change_the_truth(self):
        for seed in (0, 1, 2 ** 63):
            with self.subTest(seed), Mount(**FAST, seed=seed, enabled="Y") as mount:
                mount.write(b"Y")
                wait_for(lambda: 15 <= sum(n == 0 for n in mount.numbers()) <= 35, 4, "a quarter")
