# SPDX-License-Identifier: GPL-2.0-or-later
"""One start at a time: the lock is a file that only root can open, and the wait for it is bounded.

What another user has locked, or a start that was stopped, holds up no other start for long.
"""
import fcntl
import os
import signal
import stat
import subprocess
import time
import unittest

import calls
import support
from support import BINARY, NOBODY, Mount, daemons, mountinfo, spawn, wait_for
from test_interrupted_start import Start

BUSY_SECONDS = 7  # 5 s for the process that holds the lock, and some for a busy machine


class Unprivileged(unittest.TestCase):
    def locked_by_nobody(self, path, flags):
        """Another user's process that holds a lock on this directory."""
        def lock():
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            fcntl.flock(os.open(path, os.O_RDONLY | os.O_DIRECTORY), flags)
            time.sleep(60)
        child = spawn(lock)
        self.addCleanup(os.waitpid, child, 0)
        self.addCleanup(os.kill, child, signal.SIGKILL)

        def held():
            probe = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                return calls.outcome(fcntl.flock, probe, fcntl.LOCK_EX | fcntl.LOCK_NB) != "ok"
            finally:
                os.close(probe)
        wait_for(held, 5, "the unprivileged lock")

    def test_a_lock_on_the_mountpoint(self):
        for flags in (fcntl.LOCK_SH, fcntl.LOCK_EX):
            mount = Mount(enabled="Y")
            self.locked_by_nobody(mount.path, flags)
            with self.subTest(flags), mount:
                self.assertEqual(mount.read(), b"Y\n")

    def test_the_lock_is_out_of_their_reach(self):
        with Mount() as mount:
            directory = os.path.join(mount.root, "run/damon-statfs")
            self.assertEqual(os.stat(directory).st_mode & 0o022, 0)
            self.assertIn("mount.lock", os.listdir(directory))
            for name in os.listdir(directory):
                status = os.lstat(os.path.join(directory, name))
                self.assertTrue(stat.S_ISREG(status.st_mode), name)
                self.assertEqual((status.st_uid, status.st_mode & 0o077), (0, 0), name)

    def test_a_link_in_its_place(self):
        """Only root can put one there; the file that it leads to is left alone."""
        mount = Mount()
        directory = os.path.join(mount.root, "run/damon-statfs")
        os.makedirs(directory)
        victim = os.path.join(mount.root, "victim")
        os.symlink(victim, os.path.join(directory, "mount.lock"))
        with mount:
            self.assertEqual(mount.read(), b"N\n")
        self.assertFalse(os.path.exists(victim))


class Starts(unittest.TestCase):
    def begin(self, *arguments):
        start = subprocess.Popen([BINARY, *arguments], stdin=subprocess.DEVNULL, text=True,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(start.wait, 5)
        self.addCleanup(start.kill)
        return start

    def test_two_at_the_same_instant(self):
        """Again and again: one has it, the other one says so, and it answers."""
        for _ in range(10):
            mount, before = Mount(), daemons()
            self.addCleanup(mount.clean)
            starts = [self.begin(*mount.arguments()) for _ in range(2)]
            done = [(start.communicate(timeout=10)[1], start.returncode) for start in starts]
            mount.pids = daemons() - before
            texts = [text for text, code in done if code == 32]
            self.assertEqual((len(texts), len(mountinfo(mount.path))), (1, 1), done)
            self.assertIn("already mounted there", texts[0])
            self.assertEqual(texts[0].count("\n"), 1)
            self.assertEqual(mount.read(), b"N\n")
            mount.stop()

    def test_many_at_other_mountpoints(self):
        """They share the lock and wait for each other, which no caller notices."""
        mounts, before = [Mount(enabled="Y", rootfs=support.tree({}))], daemons()
        mounts += [Mount(enabled="Y", rootfs=mounts[0].root) for _ in range(7)]
        starts = [self.begin(*mount.arguments()) for mount in mounts]
        done = [(start.communicate(timeout=10)[1], start.returncode) for start in starts]
        pids = daemons() - before
        for mount in mounts:
            mount.pids = pids
            self.addCleanup(mount.clean)
        self.assertEqual([code for _, code in done], [0] * len(mounts), done)
        self.assertEqual([mount.read() for mount in mounts], [b"Y\n"] * len(mounts))

    def test_one_that_waits_ends_with_its_starter(self):
        """Also if the caller has blocked or ignored SIGTERM, as a script with a trap does."""
        def ignore():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)

        def block():
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        holder = Start(self)
        os.kill(holder.daemon, signal.SIGSTOP)
        for prepare in (ignore, block, None):
            waiting, before = Mount(rootfs=holder.mount.root), daemons()
            start = subprocess.Popen([BINARY, *waiting.arguments()], stdin=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL, preexec_fn=prepare)
            self.addCleanup(waiting.clean)
            wait_for(lambda: len(daemons() - before) == 2, 5, "both processes")
            start.kill()
            start.wait(5)
            waiting.pids = daemons() - before
            wait_for(lambda: not daemons() - before, 5, "the end of the one that waits")
            self.assertEqual(mountinfo(waiting.path), [])

    @unittest.skipIf(support.is_sanitized(), "5 s of waiting, by a process with no other thread")
    def test_one_that_was_stopped(self):
        """It holds the lock while it reads the kernel's files; all other starts give up."""
        stopped = Start(self)
        os.kill(stopped.daemon, signal.SIGSTOP)
        begin = time.monotonic()
        others = [Mount(path=stopped.mount.path, rootfs=stopped.mount.root),
                  Mount(rootfs=stopped.mount.root)]
        starts = [self.begin(*other.arguments()) for other in others]
        for start, other in zip(starts, others):
            text = start.communicate(timeout=BUSY_SECONDS)[1]
            self.assertEqual((start.returncode, text.count("\n")), (32, 1), text)
            self.assertIn(f"{other.path}: another damon-statfs (process {stopped.daemon}) is being mounted",
                          text)
            self.assertEqual(mountinfo(other.path), [])
        self.assertLess(time.monotonic() - begin, BUSY_SECONDS)
        os.kill(stopped.daemon, signal.SIGKILL)
        stopped.process.wait(5)
        with others[1]:
            self.assertEqual(others[1].read(), b"N\n")
