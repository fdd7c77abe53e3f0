# SPDX-License-Identifier: GPL-2.0-or-later
"""open(2) as root: mode bits count even for root, odd flags answer as in sysfs.

sysfs wants some write bit for writing and some read bit for reading, whatever the capabilities.
"""
import os

import calls
from support import BANDWIDTH, ENABLED, FILES, IDLE, PID, NOBODY, MountCase

READ_ONLY = [name for name in FILES["7.2"] if name != ENABLED]
ACCMODE_3 = 3


class Open(MountCase):
    options = {"abi": "7.2"}

    def expect(self, name, flags, answer):
        self.assertEqual(calls.try_open(self.mount.file(name), flags), answer)

    def test_writing_a_0400_file(self):
        for name in READ_ONLY:
            for flags in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_TRUNC,
                          os.O_WRONLY | os.O_APPEND, os.O_WRONLY | os.O_CREAT):
                with self.subTest(name, flags=flags):
                    self.expect(name, flags, "EACCES")

    def test_reading_a_0200_file(self):
        path = self.mount.file(ENABLED)
        os.chmod(path, 0o200)
        self.addCleanup(os.chmod, path, 0o600)
        self.expect(ENABLED, os.O_RDONLY, "EACCES")
        self.expect(ENABLED, os.O_RDWR, "EACCES")
        self.expect(ENABLED, os.O_WRONLY, "ok")

    def test_no_bits_at_all(self):
        path = self.mount.file(ENABLED)
        os.chmod(path, 0)
        self.addCleanup(os.chmod, path, 0o600)
        self.expect(ENABLED, os.O_RDONLY, "EACCES")
        self.expect(ENABLED, os.O_WRONLY, "EACCES")

    def test_one_bit_of_anyone_is_enough(self):
        path = self.mount.file(BANDWIDTH)
        self.addCleanup(os.chmod, path, 0o400)
        for mode in (0o040, 0o004):
            os.chmod(path, mode)
            self.expect(BANDWIDTH, os.O_RDONLY, "ok")
            self.expect(BANDWIDTH, os.O_WRONLY, "EACCES")

    def test_flags(self):
        table = (
            (ENABLED, os.O_RDONLY, "ok"), (ENABLED, os.O_WRONLY, "ok"), (ENABLED, os.O_RDWR, "ok"),
            (IDLE, os.O_RDONLY, "ok"), (IDLE, os.O_RDONLY | os.O_TRUNC, "ok"),
            (ENABLED, os.O_WRONLY | os.O_TRUNC, "ok"), (ENABLED, os.O_RDWR | os.O_TRUNC, "ok"),
            (ENABLED, os.O_RDONLY | os.O_DIRECT, "EINVAL"),
            (ENABLED, os.O_WRONLY | os.O_DIRECT, "EINVAL"), (IDLE, os.O_DIRECT, "EINVAL"),
            (ENABLED, os.O_WRONLY | os.O_CREAT, "ok"), (IDLE, os.O_RDONLY | os.O_CREAT, "ok"),
            (ENABLED, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, "ok"),
            (ENABLED, os.O_WRONLY | os.O_CREAT | os.O_EXCL, "EEXIST"),
            (IDLE, os.O_RDONLY | os.O_CREAT | os.O_EXCL, "EEXIST"),
            ("new", os.O_WRONLY | os.O_CREAT, "EACCES"), ("new", os.O_RDONLY, "ENOENT"),
            ("new", os.O_RDWR | os.O_CREAT | os.O_EXCL, "EACCES"), ("new", os.O_WRONLY, "ENOENT"),
            ("", os.O_TMPFILE | os.O_RDWR, "EOPNOTSUPP"), ("", os.O_RDONLY, "ok"),
            ("", os.O_WRONLY, "EISDIR"), (ENABLED, os.O_RDONLY | os.O_DIRECTORY, "ENOTDIR"),
            (IDLE, os.O_PATH, "ok"), (ENABLED, os.O_RDONLY | os.O_NOATIME, "ok"),
            (ENABLED, os.O_RDWR | os.O_SYNC | os.O_NONBLOCK | os.O_APPEND, "ok"),
            (ENABLED, os.O_RDONLY | os.O_NOFOLLOW, "ok"),
        )
        for name, flags, answer in table:
            with self.subTest(name, flags=oct(flags)):
                self.expect(name, flags, answer)

    def test_flags_changed_nothing(self):
        self.test_flags()
        for name in FILES["7.2"]:
            self.assertEqual(os.stat(self.mount.file(name)).st_size, 4096)
        self.assertEqual(self.mount.read(), b"N\n")
        self.assertEqual(tuple(os.listdir(self.mount.path)), FILES["7.2"])

    def test_access_mode_3_opens_and_does_nothing(self):
        for name in (ENABLED, IDLE, PID):
            with self.subTest(name):
                descriptor = self.opened(name, ACCMODE_3)
                self.assertEqual(calls.outcome(os.read, descriptor, 10), "EBADF")
                self.assertEqual(calls.outcome(os.write, descriptor, b"Y"), "EBADF")

    def test_wrong_direction(self):
        self.assertEqual(calls.outcome(os.write, self.opened(ENABLED), b"Y"), "EBADF")
        writing = self.opened(ENABLED, os.O_WRONLY)
        self.assertEqual(calls.outcome(os.read, writing, 10), "EBADF")

    def test_direct_cannot_be_refused_twice(self):
        """A refused open leaves nothing behind: the next one works."""
        for _ in range(50):
            self.expect(ENABLED, os.O_DIRECT, "EINVAL")
        self.expect(ENABLED, os.O_RDWR, "ok")

    def test_access(self):
        for name in FILES["7.2"]:
            for wanted in (os.F_OK, os.R_OK, os.W_OK, os.R_OK | os.W_OK):
                with self.subTest(name, wanted=wanted):
                    self.assertTrue(os.access(self.mount.file(name), wanted))
            self.assertFalse(os.access(self.mount.file(name), os.X_OK))

    def test_root_without_capabilities_is_a_user(self):
        path = self.mount.file(ENABLED)
        os.chown(path, NOBODY, NOBODY)
        self.addCleanup(os.chown, path, 0, 0)
        answer = calls.in_child(calls.try_open, path, os.O_RDWR, uid=NOBODY)
        self.assertEqual(answer, "ok")
        answer = calls.in_child(calls.try_open, path, os.O_RDWR, uid=1234)
        self.assertEqual(answer, "EACCES")
