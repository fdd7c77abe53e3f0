# SPDX-License-Identifier: GPL-2.0-or-later
"""The other calls on an open file: poll, ioctl, locks, syncing, advice, notification.

These mostly do nothing; the answers and masks are those measured on the real files.
"""
import fcntl
import os
import select
import struct
import subprocess
import termios

import calls
from support import AGGR, ENABLED, FAST, FILES, IDLE, MountCase

ALL = select.POLLIN | select.POLLPRI | select.POLLOUT | select.POLLERR
BEFORE, AFTER = 0xf, 0x5
FIGETBSZ, FICLONE, FS_IOC_SETFLAGS = 2, 0x40049409, 0x40086602
F_OFD_SETLK = 37


def poll_mask(descriptor):
    poller = select.poll()
    poller.register(descriptor, ALL)
    return dict(poller.poll(0)).get(descriptor, 0)


class Poll(MountCase):
    options = {**FAST, "abi": "7.2"}

    def test_before_and_after_the_first_read(self):
        for name in FILES["7.2"]:
            with self.subTest(name):
                descriptor = self.opened(name)
                self.assertEqual(poll_mask(descriptor), BEFORE)
                self.assertEqual(poll_mask(descriptor), BEFORE)
                os.read(descriptor, 1)
                self.assertEqual(poll_mask(descriptor), AFTER)
                os.read(descriptor, 4096)
                self.assertEqual(poll_mask(descriptor), AFTER)

    def test_each_open_has_its_own_mask(self):
        first, second = self.opened(), self.opened()
        os.read(first, 10)
        self.assertEqual((poll_mask(first), poll_mask(second)), (AFTER, BEFORE))

    def test_nothing_notifies(self):
        descriptor = self.opened(IDLE)
        os.read(descriptor, 4096)
        self.mount.write(b"Y")
        self.mount.wait_snapshot()
        self.assertEqual(poll_mask(descriptor), AFTER)
        poller = select.poll()
        poller.register(descriptor, select.POLLPRI)
        self.assertEqual(poller.poll(100), [])
        self.mount.write(b"N")
        self.assertEqual(poller.poll(100), [])

    def test_epoll_and_select(self):
        descriptor = self.opened()
        with select.epoll() as poller:
            poller.register(descriptor, select.EPOLLIN)
            self.assertEqual([fd for fd, _ in poller.poll(1)], [descriptor])
        self.assertEqual(select.select([descriptor], [descriptor], [], 1)[0], [descriptor])


class Calls(MountCase):
    options = {"abi": "7.2"}

    def test_ioctl(self):
        for name in FILES["7.2"]:
            descriptor = self.opened(name)
            for request, answer in ((termios.FIONREAD, "ok"), (FIGETBSZ, "ok"),
                                    (termios.TCGETS, "ENOTTY"), (0x5678, "ENOTTY"),
                                    (termios.TIOCGWINSZ, "ENOTTY"), (0xdeadbeef, "ENOTTY")):
                with self.subTest(name, request=hex(request)):
                    result = calls.outcome(fcntl.ioctl, descriptor, request, bytes(100))
                    self.assertEqual(result, answer)

    def test_ioctl_values(self):
        descriptor = self.opened(IDLE)
        number = lambda request: struct.unpack("i", fcntl.ioctl(descriptor, request, bytes(4)))[0]
        self.assertEqual(number(termios.FIONREAD), 4096)
        self.assertEqual(number(FIGETBSZ), 4096)

    def test_clone(self):
        source, target = self.opened(AGGR), self.opened(ENABLED, os.O_RDWR)
        self.assertEqual(calls.outcome(fcntl.ioctl, target, FICLONE, source), "EOPNOTSUPP")

    def test_syncing(self):
        for name, flags in ((ENABLED, os.O_RDWR), (IDLE, os.O_RDONLY)):
            descriptor = self.opened(name, flags)
            for call in (os.fsync, os.fdatasync, calls.syncfs):
                with self.subTest(name, call=call.__name__):
                    self.assertEqual(calls.outcome(call, descriptor), "ok")

    def test_locks(self):
        reading, writing = self.opened(IDLE), self.opened(ENABLED, os.O_RDWR)
        share = struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 0, 0, 0)
        own = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0)
        table = ((fcntl.flock, (reading, fcntl.LOCK_SH), "ok"),
                 (fcntl.flock, (reading, fcntl.LOCK_EX | fcntl.LOCK_NB), "ok"),
                 (fcntl.flock, (reading, fcntl.LOCK_UN), "ok"),
                 (fcntl.flock, (writing, fcntl.LOCK_EX), "ok"),
                 (fcntl.fcntl, (reading, fcntl.F_SETLK, share), "ok"),
                 (fcntl.fcntl, (reading, fcntl.F_SETLK, own), "EBADF"),
                 (fcntl.fcntl, (writing, fcntl.F_SETLKW, own), "ok"),
                 (fcntl.fcntl, (writing, F_OFD_SETLK, own), "EAGAIN"),
                 (fcntl.fcntl, (reading, F_OFD_SETLK, share), "ok"))
        for call, arguments, answer in table:
            with self.subTest(call.__name__, arguments=arguments):
                self.assertEqual(calls.outcome(call, *arguments), answer)

    def test_locks_exclude(self):
        first, second = self.opened(), self.opened()
        fcntl.flock(first, fcntl.LOCK_EX)
        answer = calls.outcome(fcntl.flock, second, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.assertEqual(answer, "EAGAIN")

    def test_advice(self):
        for advice in (os.POSIX_FADV_NORMAL, os.POSIX_FADV_RANDOM, os.POSIX_FADV_SEQUENTIAL,
                       os.POSIX_FADV_WILLNEED, os.POSIX_FADV_DONTNEED):
            with self.subTest(advice=advice):
                descriptor = self.opened()
                answer = calls.outcome(os.posix_fadvise, descriptor, 0, 4096, advice)
                self.assertEqual(answer, "ok")
                self.assertEqual(os.read(descriptor, 10), b"N\n")
        self.assertEqual(os.stat(self.mount.file(ENABLED)).st_size, 4096)

    def test_programs(self):
        """What people use to look at the files."""
        text = self.mount.read(IDLE).decode()
        for command in (["cat"], ["head", "-c", "10000"], ["tail", "-n", "1"], ["dd", "bs=7"],
                        ["awk", "{print}"], ["grep", "0"], ["sed", ""], ["tail", "-c", "+1"]):
            path = self.mount.file(IDLE)
            words = command + ([f"if={path}"] if command[0] == "dd" else [path])
            with self.subTest(command):
                done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                      check=False, timeout=10, text=True)
                self.assertEqual(done.stdout, text)

    def test_programs_on_the_directory(self):
        done = subprocess.run(["grep", "-r", "", self.mount.path], stdout=subprocess.PIPE,
                              check=False, timeout=10, text=True)
        self.assertEqual(len(done.stdout.splitlines()), 5)
        done = subprocess.run(["ls", "-la", self.mount.path], stdout=subprocess.PIPE, check=True,
                              timeout=10, text=True)
        self.assertRegex(done.stdout, r"-rw------- +1 root root +4096 .* enabled\n")
