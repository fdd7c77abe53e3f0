# SPDX-License-Identifier: GPL-2.0-or-later
"""A start that is ended before the mount is made: the kernel's file is a pipe that no process fills.

The first look at what a mirror shows comes before mount(2), so nothing is mounted meanwhile, and
a caller that ends the start by then finds nothing mounted later and no process left.
"""
import os
import signal
import subprocess
import time
import unittest

from processes import has_engine
from support import BINARY, ENABLED, Mount, alive, mountinfo, wait_for
from test_damon_stat import DIRECTORY, kernel

LOOK_SECONDS = 1.5  # a mirror's first look may take so long, and then it is mounted without it
LATER_SECONDS = 2.0


class Start:
    """A start, by `wrapper` if any, whose engine thread waits in open(2) of DAMON_STAT's file."""

    def __init__(self, test, *wrapper):
        root = kernel("7.2", "Y\n")
        self.pipe = os.path.join(root, DIRECTORY, ENABLED)
        os.unlink(self.pipe)
        os.mkfifo(self.pipe)
        self.mount = Mount(ops="damon_stat", rootfs=root)
        test.addCleanup(self.clean)
        self.begun = time.monotonic()
        self.process = subprocess.Popen([*wrapper, BINARY, *self.mount.arguments()],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        self.daemon = wait_for(lambda: self.looking() or self.process.poll(), 5, "the look")

    def processes(self):
        """All that have this mountpoint on their command line."""
        path, found = os.fsencode(self.mount.path), set()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as stream:
                    if path in stream.read().split(b"\0") and alive(int(pid)):
                        found.add(int(pid))
            except OSError:
                pass  # it has just ended
        return found

    def looking(self):
        """The daemon, once its engine thread waits for the pipe."""
        for pid in self.processes():
            try:
                if has_engine(pid):
                    return pid
            except OSError:
                pass  # it has just ended
        return None

    def clean(self):
        self.mount.pids = self.processes()
        self.mount.clean()
        self.process.wait(5)


class Interrupted(unittest.TestCase):
    def never_mounted(self, starts):
        """Nothing is mounted in the time that a start takes, and soon no process is left.

        The engine thread, which hangs, is waited for until 1.5 s after the signal.
        """
        end = time.monotonic() + LATER_SECONDS
        while True:
            for name, start in starts.items():
                self.assertEqual(mountinfo(start.mount.path), [], name)
            if time.monotonic() > end:
                break
            time.sleep(0.02)
        for name, start in starts.items():
            wait_for(lambda each=start: not each.processes(), 5, f"{name}: the end of all")
            self.assertEqual(mountinfo(start.mount.path), [], name)

    def interrupted(self, interrupt):
        """A start that was interrupted while it looked; on a busy machine it may take several to be in time."""
        for _ in range(10):
            start = Start(self)
            interrupt(start)
            if time.monotonic() < start.begun + LOOK_SECONDS:
                return start
            start.clean()
        return self.fail(f"never within the {LOOK_SECONDS} s that a start looks")

    def test_not_mounted_before_the_first_look(self):
        start = Start(self)
        time.sleep(0.2)
        self.assertIsNone(start.process.poll())
        self.assertEqual(mountinfo(start.mount.path), [])
        os.close(os.open(start.pipe, os.O_WRONLY))
        self.assertEqual(start.process.wait(5), 0)
        self.assertEqual(len(mountinfo(start.mount.path)), 1)

    def test_the_starter_is_ended(self):
        """The daemon ends with the process that has started it."""
        starts = {}
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
            starts[number.name] = start = self.interrupted(
                lambda start, sent=number: start.process.send_signal(sent))
            self.assertEqual(start.process.wait(5), -number)
        self.never_mounted(starts)

    def test_timeout(self):
        """timeout(1) sends SIGTERM, and SIGKILL after -k."""
        starts = {"-k": Start(self, "timeout", "-k", "0.2", "0.5"),
                  "SIGTERM": Start(self, "timeout", "0.5"),
                  "SIGKILL": Start(self, "timeout", "-s", "KILL", "0.5")}
        for name, status in (("-k", 124), ("SIGTERM", 124), ("SIGKILL", -signal.SIGKILL)):
            self.assertEqual(starts[name].process.wait(5), status, name)
        self.never_mounted(starts)

    def test_the_daemon_is_ended(self):
        starts = {}
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
            starts[number.name] = self.interrupted(lambda start, sent=number: os.kill(start.daemon, sent))
        for name, start in starts.items():
            self.assertEqual(start.process.wait(5), 32, name)
        self.never_mounted(starts)

    def test_the_next_start(self):
        start = Start(self)
        os.kill(start.daemon, signal.SIGKILL)
        start.process.wait(5)
        with Mount(path=start.mount.path, rootfs=start.mount.root) as again:
            self.assertEqual((len(mountinfo(again.path)), again.read()), (1, b"N\n"))
