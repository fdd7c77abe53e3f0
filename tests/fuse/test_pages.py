# SPDX-License-Identifier: GPL-2.0-or-later
"""estimator=pages on a real mount: the values of simulated memory after the first refresh.

A quarter of the memory is hot, and the rest is never touched.
"""
import time
import unittest

from snapshots import LATE_SECONDS, Run
from support import BANDWIDTH, Mount, wait_for

MIB = 1 << 20


class Pages(unittest.TestCase):
    def test_values_after_the_first_refresh(self):
        """The default refresh interval, and a second mount that leaves untracked memory out."""
        options = {"sim": "1G@1ms+3G@never", "refresh_ms": 5000, "abi": "7.2"}
        mounts = [Mount(**options, estimator="pages"),
                  Mount(**options, estimator="auto", untracked="exclude")]
        with mounts[0], mounts[1]:
            runs = [Run(mounts[0])]
            time.sleep(0.5)  # so that the second one's refresh is seen after the first one's
            runs.append(Run(mounts[1]))
            for run in runs:
                self.check(run, run.next_snapshot(8))

    def check(self, run, seen):
        numbers, mount = seen.numbers, run.mount
        self.assertGreaterEqual(seen.latest - run.begun, 5)
        self.assertEqual(numbers, sorted(numbers))
        hot = sum(number < 1000 for number in numbers)
        self.assertTrue(24 <= hot <= 27, f"{hot} of 101: {numbers}")
        run.check_never_accessed(self, numbers[100], seen)
        true = 1024 * MIB * 1_000_000 // 5000
        # About 0.96 of it; another value where a busy machine makes a check come late, until the next one.
        wait_for(lambda: 0.75 * true < mount.value(BANDWIDTH) < 1.1 * true, 20, f"a bandwidth of {true}")

    def test_refresh_ms_is_kept(self):
        with Mount(estimator="pages", sim="1G@1ms", refresh_ms=300, abi="6.18") as mount:
            run = Run(mount)
            run.next_snapshot()
            first, second = run.next_snapshot(), run.next_snapshot()
            self.assertGreaterEqual(second.latest - first.earliest, 0.3 - LATE_SECONDS)
            self.assertLess(second.earliest - first.latest, 0.3 + LATE_SECONDS)
