# SPDX-License-Identifier: GPL-2.0-or-later
"""estimator=pages on a real mount: the values of simulated memory after the first refresh.

A quarter of the memory is hot, and the rest is never touched.
"""
import time
import unittest

from support import BANDWIDTH, Mount

MIB = 1 << 20


class Pages(unittest.TestCase):
    def test_values_after_the_first_refresh(self):
        """The default refresh interval, and a second mount that leaves untracked memory out."""
        options = {"sim": "1G@1ms+3G@never", "refresh_ms": 5000, "abi": "7.2", "enabled": "Y"}
        mounts = [Mount(**options, estimator="pages"),
                  Mount(**options, estimator="auto", untracked="exclude")]
        with mounts[0], mounts[1]:
            start = time.monotonic()
            for mount in mounts:
                mount.wait_snapshot(7)
            self.assertGreater(time.monotonic() - start, 4)
            for mount in mounts:
                self.check(mount)

    def check(self, mount):
        numbers = mount.numbers()
        self.assertEqual(numbers, sorted(numbers))
        hot = sum(number < 1000 for number in numbers)
        self.assertTrue(24 <= hot <= 27, f"{hot} of 101: {numbers}")
        self.assertTrue(4000 < numbers[100] < 7000, numbers)
        true = 1024 * MIB * 1_000_000 // 5000
        bandwidth = mount.value(BANDWIDTH)
        self.assertTrue(0.3 * true < bandwidth < 1.2 * true, f"{bandwidth} for {true}")

    def test_refresh_ms_is_kept(self):
        with Mount(estimator="pages", sim="1G@1ms", refresh_ms=300, enabled="Y",
                   abi="6.18") as mount:
            first = mount.wait_snapshot().numbers()
            start = time.monotonic()
            second = mount.wait_newer(first)
            mount.wait_newer(second)
            self.assertTrue(0.25 < time.monotonic() - start < 1.5)
