# SPDX-License-Identifier: GPL-2.0-or-later
"""The connection between kernel and daemon: aborted from outside, never begun, or silent.

A mount that no daemon serves is replaced by the next start, one whose daemon is stopped is not, and
no start and no --status waits for an answer for more than some seconds.
"""
import os
import signal
import subprocess
import time
import unittest

import calls
import support
from machine import IOMEM, MACHINE, QUICK
from support import (BINARY, FAST, Foreground, Mount, alive, mountinfo, new_directory, tree,
                     wait_for)

TYPE = b"fuse.damon-statfs"
ANSWER_SECONDS = 7  # 5 s for a daemon that does not answer, and some for a busy machine


def connection(mount):
    """The number of the FUSE connection, which is the minor number of the mount's device."""
    return mountinfo(mount.path)[0][2].split(":")[1]


def mount_unserved(path, kind=TYPE):
    """A FUSE mount of which no process reads the first request; the descriptor that keeps it."""
    device = os.open("/dev/fuse", os.O_RDWR)
    data = f"fd={device},rootmode=40000,user_id=0,group_id=0".encode()
    calls.checked(calls.libc.mount(b"unserved", os.fsencode(path), kind, 0, data))
    return device


class Aborted(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.control = new_directory("fusectl")
        subprocess.run(["mount", "-t", "fusectl", "fusectl", cls.control], check=True)
        cls.addClassCleanup(calls.umount, cls.control, calls.MNT_DETACH)

    def abort(self, mount):
        with open(os.path.join(self.control, connection(mount), "abort"), "w") as stream:
            stream.write("1")

    def test_exit_status_and_log(self):
        """A service manager restarts what exits with 3."""
        for options in ({}, {**FAST, "enabled": "Y"}):
            with self.subTest(**options), Foreground(**options) as mount:
                self.abort(mount)
                status = mount.process.wait(support.STOP_SECONDS)
                log = mount.log()
                self.assertEqual((status, mountinfo(mount.path)), (3, []), log)
                self.assertRegex(log, "aborted the connection")
                self.assertNotIn("unmounted\n", log)

    def test_with_a_file_held_open(self):
        with Foreground(enabled="Y") as mount:
            descriptor = mount.open()
            self.addCleanup(calls.close, descriptor)
            self.abort(mount)
            self.assertEqual(mount.process.wait(support.STOP_SECONDS), 3)
            self.assertEqual(mountinfo(mount.path), [])
            self.assertEqual(calls.outcome(os.pread, descriptor, 10, 0), "ENOTCONN")

    def test_in_the_background_and_again(self):
        with Mount(enabled="Y") as mount:
            self.abort(mount)
            mount.wait_gone()
            self.assertEqual(mountinfo(mount.path), [])
            with Mount(path=mount.path) as again:
                self.assertEqual(again.read(), b"N\n")

    def test_before_it_was_ready(self):
        """Another start would meet the same, so the exit status is that of a failed one."""
        root = tree(MACHINE)
        os.unlink(os.path.join(root, IOMEM))
        os.mkfifo(os.path.join(root, IOMEM))
        mount = Mount(ops="page_idle", rootfs=root, enabled="Y", **QUICK)
        self.addCleanup(mount.clean)
        start = subprocess.Popen([BINARY, "-f", *mount.arguments()], stderr=subprocess.PIPE)
        mount.pids = {start.pid}
        wait_for(lambda: mountinfo(mount.path), 5, "the mount")
        wait_for(lambda: calls.outcome(mount.read) == "ok", 5, "its first answer")
        self.abort(mount)
        log = start.communicate(timeout=5)[1]
        self.assertEqual((start.returncode, mountinfo(mount.path)), (32, []), log)

    def test_with_another_file_system_over_it(self):
        with Foreground() as mount:
            number = connection(mount)
            subprocess.run(["mount", "-t", "tmpfs", "precious", mount.path], check=True)
            with open(os.path.join(self.control, number, "abort"), "w") as stream:
                stream.write("1")
            self.assertEqual(mount.process.wait(support.STOP_SECONDS), 3)
            left = mountinfo(mount.path)
            self.assertEqual([line[-2] for line in left], ["precious"])

    def test_umount_and_forced_umount_are_no_loss(self):
        for flags in (0, calls.MNT_FORCE):
            with self.subTest(flags), Foreground() as mount:
                calls.umount(mount.path, flags)
                self.assertEqual(mount.process.wait(support.STOP_SECONDS), 0, mount.log())


class Unserved(unittest.TestCase):
    def unserved(self, kind=TYPE):
        path = new_directory("unserved")
        device = mount_unserved(path, kind)
        self.addCleanup(calls.outcome, calls.umount, path, calls.MNT_DETACH)
        self.addCleanup(calls.close, device)
        return path, device

    def test_died_before_the_first_answer(self):
        """ENOTCONN until Linux 7.1, then ECONNREFUSED: dead for --status, -f and the next start."""
        path, device = self.unserved()
        os.close(device)
        self.assertIn(calls.outcome(os.statvfs, path), ("ENOTCONN", "ECONNREFUSED"))
        done = support.run_daemon("--status", path)
        self.assertEqual(done.returncode, 32, done.stderr)
        self.assertIn("its daemon has died", done.stderr)
        with Mount(path=path, enabled="Y") as mount:
            self.assertEqual(mount.read(), b"Y\n")
            self.assertEqual(len(mountinfo(path)), 1)

    def test_several_dead_ones_at_one_path(self):
        path = new_directory("unserved")
        for device in [mount_unserved(path) for _ in range(3)]:
            os.close(device)
        self.assertEqual(len(mountinfo(path)), 3)
        with Mount(path=path) as mount:
            self.assertEqual(len(mountinfo(path)), 1)
            self.assertEqual(mount.read(), b"N\n")

    def test_a_dead_one_of_another_type_stays(self):
        path, device = self.unserved(b"fuse.other")
        os.close(device)
        done = support.run_daemon(*Mount(path=path).arguments())
        self.assertEqual((done.returncode, len(mountinfo(path))), (32, 1), done.stderr)
        self.assertIn("dead mount of type fuse.other", done.stderr)

    @unittest.skipIf(support.is_sanitized(), "5 s of waiting, by processes with no other thread")
    def test_silent_ones_are_told(self):
        """A daemon that is stopped, one that has not answered at all, and another program's."""
        with Mount(enabled="Y") as stopped:
            never, _ = self.unserved()
            other, _ = self.unserved(b"fuse.other")
            stopped.kill(signal.SIGSTOP)
            arguments = [Mount(path=path).arguments() for path in (stopped.path, never, other)]
            arguments += [["--status", stopped.path]]
            begin = time.monotonic()
            starts = [subprocess.Popen([BINARY, *words], stdin=subprocess.DEVNULL, text=True,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                      for words in arguments]
            for start in starts:
                self.addCleanup(start.kill)
            done = [(start.communicate(timeout=ANSWER_SECONDS)[1], start.returncode)
                    for start in starts]
            self.assertLess(time.monotonic() - begin, ANSWER_SECONDS)
            stopped.kill(signal.SIGCONT)
            for (text, code), path in zip(done, (stopped.path, never, other, stopped.path)):
                self.assertEqual((code, text.count("\n")), (32, 1), text)
                self.assertIn(path, text)
                self.assertIn("does not answer", text)
                self.assertEqual(len(mountinfo(path)), 1)
            self.assertTrue(alive(stopped.pid))
            self.assertEqual(stopped.read(), b"Y\n")
