# SPDX-License-Identifier: GPL-2.0-or-later
"""Ending: umount and the three signals, with a file held open and the engine on, and crashes.

Whatever happened, the program is gone within 2 s and the mountpoint is usable again.
"""
import os
import signal
import time
import unittest

import calls
from support import FAST, IDLE, Mount, alive, daemons, mountinfo, wait_equal, wait_for

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
STATES = ({}, {**FAST, "enabled": "Y"},
          {"enabled": "Y", "sample_us": 5000000, "aggr_us": 100000000, "aggrs": 0})
NOTHING = [], []  # a mountpoint that is a plain empty directory again


def left_at(path):
    """What is in the directory, and what is mounted there."""
    return os.listdir(path), mountinfo(path)


class Umount(unittest.TestCase):
    def test_ends_the_program(self):
        for options in STATES:
            with self.subTest(options), Mount(**options) as mount:
                calls.umount(mount.path)
                mount.wait_gone()
                self.assertEqual(left_at(mount.path), NOTHING)

    def test_force_ends_the_program(self):
        with Mount(enabled="Y") as mount:
            calls.umount(mount.path, calls.MNT_FORCE)
            mount.wait_gone()

    def test_is_busy_while_a_file_is_open(self):
        with Mount(enabled="Y") as mount:
            descriptor = mount.open(IDLE)
            self.assertEqual(calls.outcome(calls.umount, mount.path), "EBUSY")
            self.assertTrue(alive(mount.pid))
            self.assertEqual(mount.read(), b"Y\n")
            os.close(descriptor)

    def test_lazy_lives_until_the_file_is_closed(self):
        with Mount(**FAST, enabled="Y") as mount:
            mount.wait_snapshot()
            descriptor = mount.open(IDLE)
            calls.umount(mount.path, calls.MNT_DETACH)
            self.assertEqual(left_at(mount.path), NOTHING)
            time.sleep(0.1)  # a daemon that took this for its end would end in this time
            self.assertTrue(alive(mount.pid))
            self.assertEqual(len(os.pread(descriptor, 4096, 0).split(b",")), 101)
            os.close(descriptor)
            mount.wait_gone()

    def test_signal_after_lazy_umount(self):
        with Mount(enabled="Y") as mount:
            descriptor = mount.open(IDLE)
            self.addCleanup(calls.close, descriptor)
            calls.umount(mount.path, calls.MNT_DETACH)
            mount.kill(signal.SIGTERM)
            mount.wait_gone()


class Signals(unittest.TestCase):
    def test_each_signal_in_each_state(self):
        for number in SIGNALS:
            for options in STATES:
                with self.subTest(number.name, options=options), Mount(**options) as mount:
                    mount.kill(number)
                    mount.wait_gone()
                    self.assertEqual(left_at(mount.path), NOTHING)

    def test_with_files_held_open(self):
        for number in SIGNALS:
            for options in STATES:
                with self.subTest(number.name, options=options), Mount(**options) as mount:
                    reading, directory = mount.open(IDLE), os.open(mount.path, os.O_RDONLY)
                    writing = mount.open(flags=os.O_RDWR)
                    os.read(reading, 7)
                    mount.kill(number)
                    mount.wait_gone()
                    self.assertEqual(left_at(mount.path), NOTHING)
                    start = time.monotonic()
                    self.assertEqual(calls.outcome(os.pread, reading, 100, 0), "ENOTCONN")
                    self.assertEqual(calls.outcome(os.write, writing, b"Y"), "ENOTCONN")
                    self.assertLess(time.monotonic() - start, 1)
                    for descriptor in (reading, writing, directory):
                        calls.close(descriptor)

    def test_many_signals_at_once(self):
        with Mount(**FAST, enabled="Y") as mount:
            for number in SIGNALS * 5:
                mount.kill(number)
            mount.wait_gone()
            self.assertEqual(left_at(mount.path), NOTHING)

    def test_while_writers_are_busy(self):
        with Mount(**FAST) as mount:
            child = os.fork()
            if child == 0:
                try:
                    descriptor = mount.open(flags=os.O_WRONLY)
                    while True:
                        os.pwrite(descriptor, b"Y", 0)
                        os.pwrite(descriptor, b"N", 0)
                except OSError:
                    os._exit(0)
            wait_equal(mount.read, b"Y\n", what="the state")
            mount.kill(signal.SIGTERM)
            mount.wait_gone()
            wait_for(lambda: os.waitpid(child, os.WNOHANG)[0], 5, "end of the writer")

    def test_harmless_signals(self):
        with Mount(**FAST, enabled="Y") as mount:
            for number in (signal.SIGPIPE, signal.SIGCHLD, signal.SIGWINCH, signal.SIGCONT):
                mount.kill(number)
            mount.kill(signal.SIGSTOP)
            mount.kill(signal.SIGCONT)
            mount.wait_newer(mount.numbers())
            self.assertTrue(alive(mount.pid))
            self.assertEqual(mount.read(), b"Y\n")


class Crash(unittest.TestCase):
    def crash(self, mount):
        mount.kill(signal.SIGKILL)
        mount.wait_gone()

    def test_stale_mount_is_replaced(self):
        with Mount(enabled="Y") as mount:
            self.crash(mount)
            self.assertEqual(calls.outcome(os.statvfs, mount.path), "ENOTCONN")
            with Mount(path=mount.path) as again:
                self.assertEqual(again.read(), b"N\n")
                self.assertEqual(len(mountinfo(again.path)), 1)
            self.assertEqual(left_at(mount.path), NOTHING)

    def test_stale_mount_with_an_open_file_is_replaced(self):
        with Mount(enabled="Y") as mount:
            descriptor = mount.open(IDLE)
            self.addCleanup(calls.close, descriptor)
            self.crash(mount)
            with Mount(path=mount.path, enabled="Y") as again:
                self.assertEqual(again.read(), b"Y\n")
                self.assertEqual(calls.outcome(os.pread, descriptor, 10, 0), "ENOTCONN")

    def test_again_and_again(self):
        with Mount() as first:
            self.crash(first)
            for _ in range(5):
                with Mount(path=first.path) as mount:
                    self.crash(mount)
                    self.assertEqual(len(mountinfo(mount.path)), 1)
                    mount.abandon()
            calls.umount(first.path, calls.MNT_DETACH)
        self.assertEqual(daemons(), set())

    def test_restart_on_the_same_mountpoint(self):
        with Mount() as mount:
            for number in SIGNALS:
                mount.kill(number)
                mount.wait_gone()
                again = Mount(path=mount.path).__enter__()
                mount.pids = again.pids
                self.assertEqual(mount.read(), b"N\n")
