# SPDX-License-Identifier: GPL-2.0-or-later
"""The engine at its limits: no memory for its thread, and the shortest intervals there are.

Why there is no thread is told to the writer, in the log and in the status.
"""
import subprocess
import unittest

import calls
import support
from support import BINARY, Foreground, Mount, daemons, mountinfo

# Threads get stacks of the size of RLIMIT_STACK, which do not fit into so small an address space.
NO_THREAD = ("prlimit", "--as=1073741824:", "--stack=4294967296:")


@unittest.skipIf(support.is_sanitized(), "a sanitizer needs more addresses")
class NoThread(unittest.TestCase):
    CAUSE = "monitoring is off: .*Resource temporarily unavailable"

    def test_enabled_from_the_start(self):
        for flags in ((), ("-f",)):
            mount = Mount(enabled="Y")
            done = subprocess.run([*NO_THREAD, BINARY, *flags, *mount.arguments()], text=True,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, timeout=10, check=False)
            self.assertEqual((done.returncode, mountinfo(mount.path)), (32, []), done.stderr)
            self.assertRegex(done.stderr, self.CAUSE)
            self.assertEqual((done.stderr.count("\n"), daemons()), (1, set()), done.stderr)

    def test_by_write(self):
        with Foreground(wrapper=NO_THREAD) as mount:
            for _ in range(3):
                self.assertEqual(calls.outcome(mount.write, b"Y"), "EAGAIN")
                self.assertEqual(mount.read(), b"N\n")
            self.assertEqual(mount.write(b"N"), 1)
            self.assertRegex(support.run_daemon("--status", mount.path).stdout,
                             f"last_error: .*{self.CAUSE}")
            subprocess.run(["prlimit", f"--pid={mount.pid}", "--as=unlimited:"], check=True)
            mount.write(b"Y")
            self.assertEqual(mount.read(), b"Y\n")
            status, log = mount.end()
            self.assertEqual(status, 0, log)
            self.assertRegex(log, self.CAUSE)


class ShortestIntervals(unittest.TestCase):
    def test_tuning_begins_at_nothing(self):
        """What DAMON counts as one microsecond is no divisor of 0."""
        table = ({"sample_us": 0, "min_sample_us": 0, "aggr_us": 0},
                 {"sample_us": 0, "min_sample_us": 0, "aggr_us": 20000},
                 {"sample_us": 1, "min_sample_us": 0, "aggr_us": 10},
                 {"sample_us": 1000, "min_sample_us": 0, "max_sample_us": 1000, "aggr_us": 1000})
        for estimator in ("regions", "pages"):
            for intervals in table:
                with self.subTest(estimator=estimator, **intervals), \
                        Mount(enabled="Y", estimator=estimator, refresh_ms=20, max_cpu=100,
                              **intervals) as mount:
                    # Twenty thousand ticks an aggregation, which a busy machine takes seconds for.
                    mount.wait_snapshot(20)
                    mount.wait_newer(mount.numbers(), 20)
                    self.assertEqual(mount.read(), b"Y\n")
