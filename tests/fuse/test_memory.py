# SPDX-License-Identifier: GPL-2.0-or-later
"""Out of memory for an instant: one allocation fails, another one at each try.

The daemon may refuse what it was asked for, in words or with an errno; it may not crash, hang or leave
anything behind. tests/fuse/failing_malloc.cc makes the allocations fail.
"""
import collections
import mmap
import os
import signal
import struct
import unittest

import calls

from support import BINARY, Mount, daemons, is_sanitized, mountinfo, new_directory, run_daemon

FIRST_OF_MAIN = 5  # those before it are the libraries' own, before main()
LIBRARY = os.path.join(os.path.dirname(BINARY), "tests", "fuse", "libfailing_malloc.so")


class Allocations:
    """The file that failing_malloc checks."""

    def __init__(self):
        self.path = os.path.join(new_directory("alloc"), "control")
        with open(self.path, "wb") as stream:
            stream.write(bytes(16))
        with open(self.path, "r+b") as stream:
            self.map = mmap.mmap(stream.fileno(), 16)
        self.environment = {"LD_PRELOAD": LIBRARY, "DAMON_STATFS_ALLOCATIONS": self.path}

    def fail(self, number):
        """The number-th allocation from now on fails; 0: none."""
        self.map[:8] = struct.pack("q", number)

    def pending(self):
        return struct.unpack("q", self.map[:8])[0] > 0

    def count(self):
        return struct.unpack("q", self.map[8:16])[0]


@unittest.skipIf(is_sanitized(), "a sanitizer has an allocator of its own")
class Memory(unittest.TestCase):
    TRIES = 150  # per test: every allocation, or every second, third, ... one of a start

    def setUp(self):
        self.assertTrue(os.path.exists(LIBRARY), f"{LIBRARY} is not built, so nothing would fail")
        self.allocations = Allocations()
        self.mount = Mount(enabled="Y", env=self.allocations.environment)
        self.addCleanup(self.mount.clean)

    def start(self, status=(0,)):
        self.mount.begin()
        self.allocations.fail(0)
        done = self.mount.start
        self.assertIn(done.returncode, status, done.stderr)
        if done.returncode != 0:
            self.assertNotEqual(done.stderr.strip(), "")
        return done.returncode == 0

    def spread(self, total, first=1):
        """The numbers of the allocations that are tried to fail."""
        return range(first, total + 1, max(total // self.TRIES, 1))

    def monitors(self):
        """Whether the daemon monitors; it must tell if it does not."""
        if self.mount.read() == b"Y\n":
            return True
        status = run_daemon("--status", self.mount.path).stdout
        self.assertRegex(status, "last_error: monitoring is off: .*memory")
        return False

    def goes_on(self):
        for data in (b"N", b"Y"):
            self.mount.write(data)
            self.assertEqual(self.mount.read(), data + b"\n")

    def ends(self):
        self.mount.kill(signal.SIGTERM)
        self.mount.wait_gone()
        self.leaves_nothing()

    def leaves_nothing(self):
        self.assertEqual((mountinfo(self.mount.path), daemons()), ([], set()))

    def test_start(self):
        self.start()
        total = self.allocations.count()
        self.assertGreater(total, FIRST_OF_MAIN)
        self.ends()
        off = refused = 0
        for number in self.spread(total, FIRST_OF_MAIN):
            with self.subTest(allocation=number):
                self.allocations.fail(number)
                try:
                    if self.start(status=(0, 1, 32)):
                        off += not self.monitors()
                        self.goes_on()
                        self.ends()
                    else:
                        refused += 1
                        self.leaves_nothing()
                finally:
                    self.mount.clean()
        told = f"{total} allocations, {refused} starts refused, {off} times not monitoring"
        self.assertGreater(refused, self.TRIES // 2, told)
        self.assertGreater(off, 0, told)

    def toggle(self):
        """The answers to N and Y, which may be refusals."""
        return [calls.outcome(self.mount.write, data) for data in (b"N", b"Y")]

    def test_write(self):
        self.start()
        before = self.allocations.count()
        self.goes_on()
        answers = collections.Counter()
        for number in self.spread(self.allocations.count() - before):
            with self.subTest(allocation=number):
                self.allocations.fail(number)
                answers.update(self.toggle())
                self.allocations.fail(0)
                self.assertLessEqual(set(answers), {"ok", "ENOMEM", "EAGAIN"})
                self.goes_on()
        self.ends()
        self.assertGreater(answers["ENOMEM"], 0, answers)

    def test_end(self):
        for number in range(1, 31):
            with self.subTest(allocation=number):
                try:
                    self.start()
                    self.allocations.fail(number)
                    self.ends()
                    self.assertFalse(self.allocations.pending(), "the end makes fewer allocations")
                finally:
                    self.allocations.fail(0)
                    self.mount.clean()
