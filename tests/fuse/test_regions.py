# SPDX-License-Identifier: GPL-2.0-or-later
"""regions=kernel on a real mount: idle times in whole aggregations, bounds of the count, and refusals.

What the rules do to accuracy is for the unit tests, which have virtual time.
"""
import unittest

from snapshots import Run
from support import AGGR, BANDWIDTH, Foreground, Mount, wait_for

MIB = 1 << 20
AGGR_MS = 50
OPTIONS = {"sim": "64M@1ms+192M@never", "estimator": "regions", "sample_us": 5000, "aggr_us": 1000 * AGGR_MS,
           "aggrs": 0, "max_nr_regions": 100, "refresh_ms": 100, "max_cpu": 100, "abi": "7.2"}


class Regions(unittest.TestCase):
    def test_idle_times_are_whole_aggregations(self):
        """By the kernel's rules none is shorter than one, and a late sample changes no interval."""
        with Mount(**OPTIONS, regions="kernel") as mount:
            run = Run(mount)
            for _ in range(5):
                numbers = run.next_snapshot().numbers
                self.assertFalse([number for number in numbers if number % AGGR_MS], numbers)
                self.assertNotIn(0, numbers)
                self.assertEqual(mount.value(AGGR), 1000 * AGGR_MS)
            self.assertLess(numbers[0], 0)
            self.assertGreater(numbers[100], 0)

    def test_refined_is_the_default_and_real_time(self):
        for options in ({}, {"regions": "refined"}):
            with self.subTest(options), Mount(**OPTIONS, **options) as mount:
                run = Run(mount)
                wait_for(lambda: any(number % AGGR_MS for number in run.next_snapshot().numbers), 10,
                         "an idle time that is no whole aggregation")

    def test_values(self):
        """A quarter of memory is hot: the same truth as that of our own rules."""
        true = 64 * MIB * 1_000_000 // 5000
        with Mount(**OPTIONS, regions="kernel", enabled="Y") as mount:
            def is_true():
                hot = sum(number < 0 for number in mount.numbers())
                return 24 <= hot <= 27 and 0.9 * true < mount.value(BANDWIDTH) < 1.1 * true
            wait_for(is_true, 20, "a quarter of memory that is hot, and its bandwidth")

    def test_it_is_named_where_it_has_no_effect(self):
        with Foreground(regions="refined", enabled="Y") as mount:
            self.assertIn("regions=: no effect with estimator=pages", mount.log())
        with Foreground(**OPTIONS, regions="kernel", enabled="Y") as mount:
            self.assertNotIn("no effect", mount.log())
