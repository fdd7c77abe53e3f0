# SPDX-License-Identifier: GPL-2.0-or-later
"""What ls, stat, df and getdents see: names, order, modes, sizes and times of the real directory.

The numbers are those of kernel 7.2 (kernfs hash order); older versions show a subset.
"""
import os
import stat
import time
import unittest

import calls
from support import AGGR, BANDWIDTH, ENABLED, FILES, IDLE, PID, Mount, MountCase

HASHES = {IDLE: 28192165, ENABLED: 457254161, BANDWIDTH: 1606652439, PID: 1865854669,
          AGGR: 1870123395}
END = 0x7fffffff


class Order(unittest.TestCase):
    def entries(self, abi, size=32768):
        """All entries as getdents64 gives them with a buffer of this size."""
        with Mount(abi=abi) as mount:
            descriptor = os.open(mount.path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                found = []
                while part := calls.getdents(descriptor, size):
                    found += part
                return found
            finally:
                os.close(descriptor)

    def test_names_in_hash_order(self):
        for abi, names in FILES.items():
            with self.subTest(abi=abi):
                listed = [entry.name for entry in self.entries(abi)]
                self.assertEqual(listed, [".", "..", *names])

    def test_offset_is_the_hash_of_the_next_entry(self):
        for abi, names in FILES.items():
            with self.subTest(abi=abi):
                offsets = [entry.off for entry in self.entries(abi)]
                self.assertEqual(offsets[1:], [HASHES[name] for name in names] + [END])

    def test_small_buffer_gives_the_same(self):
        names = [entry.name for entry in self.entries("7.2", 64)]
        self.assertEqual(names, [".", "..", *FILES["7.2"]])

    def test_types(self):
        kinds = {entry.name: entry.type for entry in self.entries("7.2")}
        self.assertEqual(kinds, {".": 4, "..": 4, **{name: 8 for name in FILES["7.2"]}})

    def test_default_abi_is_6_17(self):
        with Mount() as mount:
            self.assertEqual(tuple(os.listdir(mount.path)), FILES["6.17"])


class Attributes(MountCase):
    options = {"abi": "7.2"}

    @classmethod
    def setUpClass(cls):
        cls.before = time.time()
        super().setUpClass()
        cls.after = time.time()

    def test_directory(self):
        info = os.stat(self.mount.path)
        self.assertEqual(
            (oct(info.st_mode), info.st_uid, info.st_gid, info.st_size, info.st_nlink,
             info.st_blocks, info.st_blksize), (oct(0o40755), 0, 0, 0, 2, 0, 4096))

    def test_files(self):
        for name in FILES["7.2"]:
            with self.subTest(name):
                info = os.stat(self.mount.file(name))
                mode = 0o100600 if name == ENABLED else 0o100400
                self.assertEqual(
                    (oct(info.st_mode), info.st_uid, info.st_gid, info.st_size, info.st_nlink,
                     info.st_blocks, info.st_blksize), (oct(mode), 0, 0, 4096, 1, 0, 4096))

    def test_inode_numbers_agree(self):
        with os.scandir(self.mount.path) as entries:
            for entry in entries:
                with self.subTest(entry.name):
                    self.assertEqual(entry.inode(), os.stat(entry.path).st_ino)

    def test_times_are_equal_and_those_of_the_start(self):
        for name in ("", *FILES["7.2"]):
            with self.subTest(name):
                info = os.stat(self.mount.file(name))
                self.assertEqual({info.st_atime_ns, info.st_mtime_ns}, {info.st_ctime_ns})
                self.assertTrue(self.before - 1 <= info.st_mtime <= self.after,
                                (self.before, info.st_mtime, self.after))

    def test_times_and_size_survive_reading_and_writing(self):
        for name in FILES["7.2"]:
            with self.subTest(name):
                before = os.stat(self.mount.file(name))
                self.mount.read(name)
                if name == ENABLED:
                    self.mount.write(b"N\n")
                    self.mount.write(b"N" + b" " * 5000)
                after = os.stat(self.mount.file(name))
                self.assertEqual(before, after)

    def test_directory_times_survive_listing(self):
        before = os.stat(self.mount.path)
        os.listdir(self.mount.path)
        self.assertEqual(before, os.stat(self.mount.path))

    def test_statvfs(self):
        info = os.statvfs(self.mount.path)
        self.assertEqual((info.f_bsize, info.f_frsize, info.f_namemax), (4096, 4096, 255))
        counts = (info.f_blocks, info.f_bfree, info.f_bavail, info.f_files, info.f_ffree)
        self.assertEqual(counts, (0, 0, 0, 0, 0))

    def test_statvfs_of_a_file(self):
        info = os.statvfs(self.mount.file(ENABLED))
        self.assertEqual((info.f_bsize, info.f_blocks, info.f_namemax), (4096, 0, 255))

    def test_directory_descriptor(self):
        descriptor = os.open(self.mount.path, os.O_RDONLY | os.O_DIRECTORY)
        self.addCleanup(os.close, descriptor)
        self.assertEqual(calls.outcome(os.fsync, descriptor), "EINVAL")
        self.assertEqual(calls.outcome(os.fdatasync, descriptor), "EINVAL")
        self.assertEqual(os.lseek(descriptor, 0, os.SEEK_END), 0)
        self.assertEqual(calls.outcome(os.read, descriptor, 10), "EISDIR")

    def test_seekdir_continues_after_an_entry(self):
        descriptor = os.open(self.mount.path, os.O_RDONLY | os.O_DIRECTORY)
        self.addCleanup(os.close, descriptor)
        os.lseek(descriptor, HASHES[BANDWIDTH], os.SEEK_SET)
        rest = [entry.name for entry in calls.getdents(descriptor)]
        self.assertEqual(rest, [BANDWIDTH, PID, AGGR])

    def test_missing_names(self):
        for name in ("nothing", "Enabled", "enabled ", "x" * 255, "x" * 256):
            with self.subTest(name[:10]):
                self.assertEqual(calls.outcome(os.stat, self.mount.file(name)), "ENOENT")

    def test_file_type(self):
        for name in FILES["7.2"]:
            self.assertTrue(stat.S_ISREG(os.lstat(self.mount.file(name)).st_mode))
