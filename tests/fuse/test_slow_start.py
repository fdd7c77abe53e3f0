# SPDX-License-Identifier: GPL-2.0-or-later
"""A write in progress for as long as the test wants: /proc/iomem is a pipe that no process fills.

Readers must be answered meanwhile, an interrupted writer returns at once, and the end is bounded.
"""
import os
import signal
import time
import unittest

import calls
from machine import IOMEM, MACHINE, QUICK, RAM
from processes import has_engine
from support import AGGR, ENABLED, FILES, IDLE, PID, Mount, reap, spawn, tree, wait_equal, wait_for

AT_ONCE = 1  # seconds, on a machine that may be busy; what waited for the start would wait for ever


class SlowStart(unittest.TestCase):
    def setUp(self):
        root = tree(MACHINE)
        self.pipe = os.path.join(root, IOMEM)
        os.unlink(self.pipe)
        os.mkfifo(self.pipe)
        self.mount = Mount(ops="page_idle", rootfs=root, **QUICK)
        self.mount.__enter__()
        self.addCleanup(self.mount.clean)

    def writer(self, data=b"Y"):
        """A child that writes; it exits 0 after success and with the errno after a failure."""
        def write():
            signal.signal(signal.SIGINT, lambda *_: None)
            signal.siginterrupt(signal.SIGINT, True)
            descriptor = self.mount.open(ENABLED, os.O_WRONLY)
            try:
                calls.raw_write(descriptor, data)
            except OSError as problem:
                os._exit(problem.errno)
        child = spawn(write)
        self.addCleanup(calls.outcome, os.kill, child, signal.SIGKILL)
        wait_for(self.engine_runs, 5, "the write has begun")
        time.sleep(0.05)  # an answer that does not wait for the start would come in this time
        self.assertEqual(os.waitpid(child, os.WNOHANG), (0, 0), "the write did not wait")
        return child

    def engine_runs(self):
        return has_engine(self.mount.pid)

    def fill(self):
        """The kernel answers at last."""
        with open(self.pipe, "w") as stream:
            stream.write(RAM)

    def stop(self):
        """Feeds an engine that still starts, so that the end is not the point of the test."""
        self.assertEqual(self.mount.write(b"N"), 1)
        self.mount.stop()

    def test_readers_are_answered(self):
        child = self.writer()
        start = time.monotonic()
        texts = {name: self.mount.read(name) for name in FILES["7.2"]}
        self.assertEqual(len(os.listdir(self.mount.path)), 5)
        os.stat(self.mount.file(ENABLED))
        os.statvfs(self.mount.path)
        self.assertLess(time.monotonic() - start, AT_ONCE)
        self.assertEqual((texts[ENABLED], texts[PID], texts[AGGR]), (b"N\n", b"-1\n", b"0\n"))
        self.fill()
        self.assertEqual(reap(child, 5), 0)
        self.assertEqual(self.mount.read(), b"Y\n")
        self.mount.wait_snapshot()
        self.assertGreater(int(self.mount.read(IDLE).split(b",")[0]), 0)
        self.stop()

    def test_interrupted_writer_returns_at_once(self):
        child = self.writer()
        start = time.monotonic()
        os.kill(child, signal.SIGINT)
        self.assertEqual(calls.errno_name(reap(child, 5)), "EINTR")
        self.assertLess(time.monotonic() - start, AT_ONCE)
        self.fill()
        wait_equal(self.mount.read, b"Y\n", what="the state")
        self.assertGreater(self.mount.value(PID), 0)
        self.stop()

    def test_killed_writer_ends_at_once(self):
        for number in (signal.SIGKILL, signal.SIGTERM):
            with self.subTest(number.name):
                child = self.writer()
                start = time.monotonic()
                os.kill(child, number)
                self.assertEqual(reap(child, 5), -number)
                self.assertLess(time.monotonic() - start, AT_ONCE)
                self.fill()
                wait_equal(self.mount.read, b"Y\n", what="the state")
                self.assertEqual(self.mount.write(b"N"), 1)
        self.stop()

    def test_second_writer_waits_for_the_first(self):
        """The last one decides."""
        first = self.writer()
        second = self.writer(b"N")
        self.fill()
        self.assertEqual((reap(first, 5), reap(second, 5)), (0, 0))
        self.assertEqual((self.mount.read(), self.mount.read(PID)), (b"N\n", b"-1\n"))
        self.stop()

    def test_writer_after_an_interrupted_one(self):
        os.kill(interrupted := self.writer(), signal.SIGKILL)
        reap(interrupted, 5)
        second = self.writer()
        self.fill()
        self.assertEqual(reap(second, 5), 0)
        self.assertEqual(self.mount.read(), b"Y\n")
        self.stop()

    def test_junk_meanwhile(self):
        os.kill(interrupted := self.writer(), signal.SIGKILL)
        reap(interrupted, 5)
        start = time.monotonic()
        self.assertEqual(calls.outcome(self.mount.write, b"junk"), "EINVAL")
        self.assertLess(time.monotonic() - start, AT_ONCE)
        self.fill()
        wait_equal(self.mount.read, b"Y\n", what="the state")
        self.stop()

    def test_signal_ends_the_program(self):
        for number in (signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number.name):
                child = self.writer()
                self.mount.kill(number)
                self.mount.wait_gone()
                self.assertEqual(calls.errno_name(reap(child, 5)), "EINTR")
                self.mount.__enter__()

    def test_umount_ends_the_program(self):
        child = self.writer()
        self.assertEqual(calls.outcome(calls.umount, self.mount.path), "EBUSY")
        os.kill(child, signal.SIGKILL)
        reap(child, 5)
        calls.umount(self.mount.path)
        self.mount.wait_gone()
