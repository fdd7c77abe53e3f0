# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading in every shape: buffer sizes, offsets, seeking, bad pointers, mapping.

The text does not change here (the engine is off); test_snapshot.py has the changing one, test_splice.py
every other way to read.
"""
import ctypes
import mmap
import os
import re

import calls
from support import AGGR, BANDWIDTH, ENABLED, FILES, IDLE, PID, MountCase, is_fast_aggr

ZEROS = (b"0," * 101)[:-1] + b"\n"


class Shapes(MountCase):
    options = {"abi": "7.2"}

    def test_text_before_the_first_snapshot(self):
        texts = {name: self.mount.read(name) for name in FILES["7.2"]}
        self.assertEqual(texts, {IDLE: ZEROS, ENABLED: b"N\n", BANDWIDTH: b"0\n", PID: b"-1\n",
                                 AGGR: b"0\n"})

    def test_any_buffer_size_gives_a_prefix_walk(self):
        for name in FILES["7.2"]:
            whole = self.mount.read(name)
            for size in (1, 2, 3, 7, 100, 201, 202, 203, 4095, 4096, 4097, 100000):
                with self.subTest(name, size=size):
                    descriptor, found = self.opened(name), b""
                    while part := os.read(descriptor, size):
                        self.assertEqual(len(part), min(size, len(whole) - len(found)))
                        found += part
                    self.assertEqual(found, whole)
                    self.assertEqual(os.read(descriptor, size), b"")

    def test_pread_at_every_offset(self):
        descriptor = self.opened(IDLE)
        for offset in (*range(0, 210), 4095, 4096, 4097, 1 << 20, 1 << 31, 1 << 40, 1 << 62,
                       (1 << 63) - 4097):
            with self.subTest(offset=offset):
                self.assertEqual(os.pread(descriptor, 4096, offset), ZEROS[offset:])

    def test_negative_offset(self):
        descriptor = self.opened(IDLE)
        self.assertEqual(calls.outcome(os.pread, descriptor, 10, -1), "EINVAL")
        self.assertEqual(calls.outcome(os.lseek, descriptor, -1, os.SEEK_SET), "EINVAL")

    def test_seek(self):
        descriptor = self.opened(IDLE)
        self.assertEqual(os.lseek(descriptor, 0, os.SEEK_END), 4096)
        self.assertEqual(os.read(descriptor, 10), b"")
        self.assertEqual(os.lseek(descriptor, 0, os.SEEK_DATA), 0)
        self.assertEqual(os.lseek(descriptor, 0, os.SEEK_HOLE), 4096)
        self.assertEqual(os.lseek(descriptor, 5, os.SEEK_SET), 5)
        self.assertEqual(os.read(descriptor, 4096), ZEROS[5:])
        self.assertEqual(os.lseek(descriptor, 0, os.SEEK_CUR), len(ZEROS))

    def test_readv(self):
        descriptor = self.opened(IDLE)
        parts = [bytearray(5), bytearray(7), bytearray(500)]
        self.assertEqual(os.readv(descriptor, parts), len(ZEROS))
        self.assertEqual(b"".join(parts)[:len(ZEROS)], ZEROS)

    def test_nowait_is_not_supported(self):
        descriptor = self.opened(IDLE)
        answer = calls.outcome(os.preadv, descriptor, [bytearray(10)], 0, os.RWF_NOWAIT)
        self.assertEqual(answer, "EOPNOTSUPP")

    def test_bad_pointer_loses_nothing(self):
        descriptor = self.opened(IDLE)
        self.assertEqual(calls.outcome(calls.raw_read, descriptor, 8, 100), "EFAULT")
        self.assertEqual(os.read(descriptor, 4096), ZEROS)

    def test_partial_copy_is_short_and_the_rest_follows(self):
        descriptor = self.opened(IDLE)
        with calls.PageEdge() as page:
            self.assertEqual(calls.raw_read(descriptor, page.edge - 9, 4096), 9)
            self.assertEqual(page.tail(9), ZEROS[:9])
        self.assertEqual(os.read(descriptor, 4096), ZEROS[9:])

    def test_zero_bytes(self):
        descriptor = self.opened(IDLE)
        self.assertEqual(os.read(descriptor, 0), b"")
        self.assertEqual(os.read(descriptor, 4096), ZEROS)

    def test_shared_mapping_is_refused(self):
        for name, flags, protection in ((IDLE, os.O_RDONLY, mmap.PROT_READ),
                                        (ENABLED, os.O_RDWR, mmap.PROT_READ | mmap.PROT_WRITE)):
            with self.subTest(name):
                descriptor = self.opened(name, flags)
                answer = calls.outcome(mmap.mmap, descriptor, 4096, mmap.MAP_SHARED, protection)
                self.assertEqual(answer, "ENODEV")

    def test_many_descriptors(self):
        descriptors = [self.opened(IDLE) for _ in range(500)]
        for descriptor in descriptors:
            self.assertEqual(os.read(descriptor, 4096), ZEROS)


class Formats(MountCase):
    options = {"abi": "7.2", "enabled": "Y", "aggr_us": 10000, "sample_us": 1000, "aggrs": 0,
               "max_cpu": 100, "estimator": "regions"}

    def setUp(self):
        self.mount.wait_snapshot()
        self.mount.write(b"N")  # values stay

    def test_numbers(self):
        self.assertRegex(self.mount.read(IDLE), re.compile(rb"\A(-?\d+,){100}-?\d+\n\Z"))
        self.assertRegex(self.mount.read(BANDWIDTH), re.compile(rb"\A\d+\n\Z"))
        aggr = self.mount.read(AGGR)
        self.assertRegex(aggr, re.compile(rb"\A\d+\n\Z"))
        self.assertTrue(is_fast_aggr(int(aggr)), aggr)
        self.assertEqual(self.mount.read(PID), b"-1\n")

    def test_text_ends_with_one_newline_and_has_no_zero_bytes(self):
        buffer = ctypes.create_string_buffer(b"\xff" * 8192, 8192)
        length = calls.raw_read(self.opened(IDLE), ctypes.addressof(buffer), 8192)
        self.assertEqual(buffer.raw[length - 1:length + 1], b"\n\xff")
        self.assertNotIn(b"\0", buffer.raw[:length])
