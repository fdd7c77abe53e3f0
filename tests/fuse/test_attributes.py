# SPDX-License-Identifier: GPL-2.0-or-later
"""Changing attributes: truncation does nothing, modes, owners, times and some xattrs persist.

A chmod cannot make a value writable: the open succeeds then, the write is EIO.
"""
import os

import calls
from support import AGGR, BANDWIDTH, ENABLED, FILES, IDLE, NOBODY, PID, Mount, MountCase


class Truncation(MountCase):
    options = {"abi": "7.2"}

    def tearDown(self):
        for name in FILES["7.2"]:
            self.assertEqual(os.stat(self.mount.file(name)).st_size, 4096)
        self.assertEqual(self.mount.read(), b"N\n")

    def test_truncate_has_no_effect(self):
        for name in FILES["7.2"]:
            for size in (0, 1, 100, 4096, 1 << 20):
                with self.subTest(name, size=size):
                    answer = calls.outcome(os.truncate, self.mount.file(name), size)
                    self.assertEqual(answer, "ok")

    def test_ftruncate(self):
        self.assertEqual(calls.outcome(os.ftruncate, self.opened(IDLE), 0), "EINVAL")
        self.assertEqual(calls.outcome(os.ftruncate, self.opened(), 0), "EINVAL")
        for size in (0, 100, 8192):
            descriptor = self.opened(ENABLED, os.O_RDWR)
            self.assertEqual(calls.outcome(os.ftruncate, descriptor, size), "ok")
            self.assertEqual(os.fstat(descriptor).st_size, 4096)
            self.assertEqual(os.read(descriptor, 10), b"N\n")

    def test_fallocate(self):
        writing = self.opened(ENABLED, os.O_RDWR)
        answer = calls.outcome(lambda fd: calls.checked(calls.libc.fallocate(fd, 0, 0, 100)),
                               writing)
        self.assertEqual(answer, "EOPNOTSUPP")
        answer = calls.outcome(lambda fd: calls.checked(calls.libc.fallocate(fd, 0, 0, 100)),
                               self.opened(IDLE))
        self.assertEqual(answer, "EBADF")


class Persist(MountCase):
    options = {"abi": "7.2"}

    def test_chmod(self):
        for name, mode in ((IDLE, 0o444), (ENABLED, 0o644), (BANDWIDTH, 0o777), (AGGR, 0)):
            with self.subTest(name):
                path = self.mount.file(name)
                original = os.stat(path).st_mode & 0o7777
                os.chmod(path, mode)
                self.assertEqual(os.stat(path).st_mode, 0o100000 | mode)
                os.chmod(path, original)
                self.assertEqual(os.stat(path).st_mode, 0o100000 | original)

    def test_chmod_644_lets_others_read_not_write(self):
        path = self.mount.file(ENABLED)
        self.addCleanup(os.chmod, path, 0o600)
        os.chmod(path, 0o644)
        for flags, answer in ((os.O_RDONLY, "ok"), (os.O_WRONLY, "EACCES"), (os.O_RDWR, "EACCES")):
            self.assertEqual(calls.in_child(calls.try_open, path, flags, uid=NOBODY), answer)
        self.assertEqual(calls.in_child(lambda: self.mount.read().decode(), uid=NOBODY), "N\n")

    def test_chown(self):
        path = self.mount.file(BANDWIDTH)
        self.addCleanup(os.chown, path, 0, 0)
        os.chown(path, 1234, -1)
        self.assertEqual((os.stat(path).st_uid, os.stat(path).st_gid), (1234, 0))
        os.chown(path, -1, 4321)
        self.assertEqual((os.stat(path).st_uid, os.stat(path).st_gid), (1234, 4321))
        self.assertEqual(os.stat(self.mount.file(IDLE)).st_uid, 0, "only this file")
        self.assertEqual(calls.in_child(calls.try_open, path, os.O_RDONLY, uid=1234), "ok")

    def test_utimes(self):
        path = self.mount.file(IDLE)
        os.utime(path, ns=(1_000_000_001, 2_000_000_002))
        info = os.stat(path)
        self.assertEqual((info.st_atime_ns, info.st_mtime_ns), (1_000_000_001, 2_000_000_002))
        self.mount.read(IDLE)
        info = os.stat(path)
        self.assertEqual((info.st_atime_ns, info.st_mtime_ns), (1_000_000_001, 2_000_000_002))
        os.utime(path)
        self.assertGreater(os.stat(path).st_mtime, 1_600_000_000)

    def test_directory(self):
        path = self.mount.path
        os.chmod(path, 0o750)
        os.chown(path, 0, 77)
        os.utime(path, ns=(5, 7))
        info = os.stat(path)
        self.assertEqual((info.st_mode, info.st_gid, info.st_atime_ns, info.st_mtime_ns),
                         (0o40750, 77, 5, 7))
        os.chmod(path, 0o755)
        os.chown(path, 0, 0)
        self.assertEqual(os.stat(path).st_mode, 0o40755)

    def test_attributes_do_not_outlive_the_mount(self):
        with Mount() as mount:
            os.chmod(mount.file(ENABLED), 0o666)
            mount.stop()
            with Mount(path=mount.path) as again:
                self.assertEqual(os.stat(again.file(ENABLED)).st_mode, 0o100600)

    def test_a_read_only_file_made_writable_is_eio(self):
        for name in (IDLE, BANDWIDTH, AGGR, PID):
            with self.subTest(name):
                path = self.mount.file(name)
                self.addCleanup(os.chmod, path, 0o400)
                os.chmod(path, 0o600)
                for data in (b"Y", b"1\n", b"x" * 5000):
                    descriptor = self.opened(name, os.O_RDWR)
                    self.assertEqual(calls.outcome(os.write, descriptor, data), "EIO")
                self.assertEqual(calls.try_open(path, os.O_WRONLY | os.O_TRUNC), "ok")
                os.chmod(path, 0o400)
                self.assertEqual(calls.try_open(path, os.O_WRONLY), "EACCES")


class Xattr(MountCase):
    options = {"abi": "7.2"}

    def paths(self):
        return [self.mount.path] + [self.mount.file(name) for name in FILES["7.2"]]

    def test_none_at_first(self):
        for path in (self.mount.file(PID), self.mount.file(AGGR)):
            self.assertEqual(os.listxattr(path), [])
            for name, answer in (("user.a", "ENODATA"), ("security.b", "ENODATA"),
                                 ("trusted.a", "ENODATA"), ("security.capability", "ENODATA"),
                                 ("system.posix_acl_access", "EOPNOTSUPP"), ("a", "EOPNOTSUPP")):
                with self.subTest(name):
                    self.assertEqual(calls.outcome(os.getxattr, path, name), answer)

    def test_user_names_cannot_be_set(self):
        for path in self.paths():
            with self.subTest(path):
                answer = calls.outcome(os.setxattr, path, "user.a", b"1")
                self.assertEqual(answer, "EOPNOTSUPP")
                self.assertEqual(calls.outcome(os.removexattr, path, "user.a"), "EOPNOTSUPP")

    def test_posix_acl_cannot_be_set(self):
        acl = bytes.fromhex("02000000 01000600ffffffff 04000000ffffffff 20000000ffffffff")
        answer = calls.outcome(os.setxattr, self.mount.file(IDLE), "system.posix_acl_access", acl)
        self.assertEqual(answer, "EOPNOTSUPP")

    def test_trusted_and_security_persist(self):
        for path in self.paths():
            for name in ("trusted.test", "security.test"):
                with self.subTest(path, name=name):
                    os.setxattr(path, name, b"value\0binary")
                    self.assertEqual(os.getxattr(path, name), b"value\0binary")
                    self.assertIn(name, os.listxattr(path))
                    os.setxattr(path, name, b"")
                    self.assertEqual(os.getxattr(path, name), b"")
                    os.removexattr(path, name)
                    self.assertEqual(calls.outcome(os.getxattr, path, name), "ENODATA")
                    self.assertEqual(calls.outcome(os.removexattr, path, name), "ENODATA")
                    self.assertNotIn(name, os.listxattr(path))

    def test_create_and_replace(self):
        path, name = self.mount.file(ENABLED), "trusted.flags"
        set_one = lambda flags: calls.outcome(os.setxattr, path, name, b"1", flags)
        self.assertEqual(set_one(os.XATTR_REPLACE), "ENODATA")
        self.assertEqual(set_one(os.XATTR_CREATE), "ok")
        self.assertEqual(set_one(os.XATTR_CREATE), "EEXIST")
        self.assertEqual(set_one(os.XATTR_REPLACE), "ok")
        os.removexattr(path, name)

    def test_short_buffer(self):
        path = os.fsencode(self.mount.file(BANDWIDTH))
        os.setxattr(path, "trusted.long", b"x" * 100)
        self.addCleanup(os.removexattr, path, "trusted.long")
        get = lambda size: calls.checked(calls.libc.getxattr(path, b"trusted.long", bytes(size),
                                                             size))
        self.assertEqual(calls.outcome(get, 10), "ERANGE")
        self.assertEqual(calls.checked(calls.libc.getxattr(path, b"trusted.long", None, 0)), 100)
        self.assertEqual(calls.outcome(
            lambda: calls.checked(calls.libc.listxattr(path, bytes(3), 3))), "ERANGE")
