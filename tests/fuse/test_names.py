# SPDX-License-Identifier: GPL-2.0-or-later
"""Changing names: nothing can be made, removed or renamed, and each attempt answers as in sysfs.

Plain files cannot even be attempted (EACCES); everything else is not permitted (EPERM).
"""
import os
import stat

import calls
from support import BANDWIDTH, ENABLED, FILES, IDLE, MountCase


class Names(MountCase):
    options = {"abi": "7.2"}

    def setUp(self):
        self.outside = os.path.join(self.mount.root, "outside")
        with open(self.outside, "wb"):
            pass

    def tearDown(self):
        self.assertEqual(tuple(os.listdir(self.mount.path)), FILES["7.2"])

    def check(self, table):
        for call, arguments, answer in table:
            with self.subTest(call.__name__, arguments=arguments):
                self.assertEqual(calls.outcome(call, *arguments), answer)

    def test_making(self):
        new = self.mount.file("new")
        self.check((
            (os.mkdir, (new,), "EPERM"), (os.symlink, ("target", new), "EPERM"),
            (os.mkfifo, (new,), "EPERM"), (os.link, (self.mount.file(ENABLED), new), "EPERM"),
            (os.mknod, (new, stat.S_IFREG | 0o600), "EACCES"),
            (os.mknod, (new, stat.S_IFSOCK | 0o600), "EPERM"),
            (os.mknod, (new, stat.S_IFCHR | 0o600, os.makedev(1, 3)), "EPERM"),
            (os.link, (self.outside, new), "EXDEV")))
        self.assertEqual(calls.try_open(new, os.O_RDWR | os.O_CREAT), "EACCES")

    def test_making_what_exists(self):
        there = self.mount.file(ENABLED)
        self.check((
            (os.mkdir, (there,), "EEXIST"), (os.symlink, ("target", there), "EEXIST"),
            (os.mkfifo, (there,), "EEXIST"), (os.link, (self.mount.file(IDLE), there), "EEXIST"),
            (os.mknod, (there, stat.S_IFREG | 0o600), "EEXIST")))

    def test_removing(self):
        self.check((
            (os.unlink, (self.mount.file(ENABLED),), "EPERM"),
            (os.unlink, (self.mount.file(IDLE),), "EPERM"),
            (os.unlink, (self.mount.file("new"),), "ENOENT"),
            (os.rmdir, (self.mount.file("new"),), "ENOENT"),
            (os.rmdir, (self.mount.file(ENABLED),), "ENOTDIR"),
            (os.rmdir, (self.mount.path,), "EBUSY"),  # the root of a mount; sysfs: EPERM
            (os.unlink, (self.mount.path,), "EISDIR")))

    def test_renaming(self):
        enabled, idle = self.mount.file(ENABLED), self.mount.file(IDLE)
        self.check((
            (os.rename, (enabled, self.mount.file("new")), "EPERM"),
            (os.rename, (enabled, idle), "EPERM"), (os.rename, (enabled, enabled), "ok"),
            (os.rename, (self.mount.file("new"), self.mount.file("newer")), "ENOENT"),
            (os.rename, (enabled, self.outside), "EXDEV"),
            (os.rename, (self.outside, self.mount.file("new")), "EXDEV")))

    def test_names_of_many_lengths(self):
        for size in (1, 2, 100, 254, 255):
            name = self.mount.file("n" * size)
            self.assertEqual(calls.outcome(os.mkdir, name), "EPERM")
            self.assertEqual(calls.try_open(name, os.O_RDWR | os.O_CREAT), "EACCES")
            self.assertEqual(calls.outcome(os.unlink, name), "ENOENT")

    def test_readlink(self):
        self.assertEqual(calls.outcome(os.readlink, self.mount.file(BANDWIDTH)), "EINVAL")

    def test_a_file_is_not_a_directory(self):
        inside = os.path.join(self.mount.file(ENABLED), "inside")
        self.check(((os.stat, (inside,), "ENOTDIR"), (os.mkdir, (inside,), "ENOTDIR"),
                    (os.listdir, (self.mount.file(ENABLED),), "ENOTDIR")))
