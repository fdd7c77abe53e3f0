# SPDX-License-Identifier: GPL-2.0-or-later
"""Which snapshot a read shows: taken at the first read, kept while reading on, fresh at offset 0.

All memory is never touched, so one snapshot is 101 equal numbers and a torn text is seen at once.
"""
import os
import time

from support import BANDWIDTH, ENABLED, FAST, IDLE, MountCase


def rest(descriptor, size=4096):
    found = b""
    while part := os.read(descriptor, size):
        found += part
    return found


class Changing(MountCase):
    options = {**FAST, "abi": "6.18", "sim": "1G@never", "enabled": "Y"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mount.wait_snapshot()

    def number(self, text):
        """The one number of a whole text."""
        self.assertTrue(text.endswith(b"\n"), text[-20:])
        numbers = text.split(b",")
        self.assertEqual(len(numbers), 101, text)
        self.assertEqual(len(set(map(int, numbers))), 1, f"torn: {text}")
        return int(numbers[0])

    def newer(self):
        """Waits for the next snapshot and returns its number."""
        before = self.mount.numbers()
        return self.mount.wait_newer(before)[100]

    def test_taken_at_the_first_read_not_at_open(self):
        descriptor = self.opened(IDLE)
        new = self.newer()
        self.assertGreaterEqual(self.number(rest(descriptor)), new)

    def test_reading_on_stays_in_the_snapshot(self):
        descriptor = self.opened(IDLE)
        text = os.read(descriptor, 7)
        new = self.newer()
        text += rest(descriptor, 50)
        self.assertLess(self.number(text), new)

    def test_offset_0_is_fresh(self):
        descriptor = self.opened(IDLE)
        for _ in range(5):
            new = self.newer()
            self.assertGreaterEqual(self.number(os.pread(descriptor, 4096, 0)), new)

    def test_rewind_is_fresh(self):
        descriptor = self.opened(IDLE)
        rest(descriptor)
        new = self.newer()
        self.assertEqual(os.read(descriptor, 4096), b"", "end of file stays the end")
        os.lseek(descriptor, 0, os.SEEK_SET)
        self.assertGreaterEqual(self.number(rest(descriptor)), new)

    def test_pread_continues_at_the_end_of_the_last_read(self):
        descriptor = self.opened(IDLE)
        text = os.pread(descriptor, 10, 0)
        new = self.newer()
        text += os.pread(descriptor, 4096, 10)
        self.assertLess(self.number(text), new)

    def test_any_other_offset_regenerates(self):
        for offset in (3, 6, 8, 100):
            with self.subTest(offset=offset):
                descriptor = self.opened(IDLE)
                os.read(descriptor, 7)
                new = self.newer()
                tail = os.pread(descriptor, 4096, offset)
                self.assertGreaterEqual(int(tail.split(b",")[-1]), new)
                self.assertEqual(os.pread(descriptor, 4096, offset + len(tail)), b"")

    def test_regenerated_text_is_kept_for_reading_on(self):
        descriptor = self.opened(IDLE)
        os.read(descriptor, 7)
        part = os.pread(descriptor, 20, 100)
        new = self.newer()
        part += os.pread(descriptor, 4096, 120)
        self.assertLess(int(part.split(b",")[-1]), new)

    def test_past_the_end(self):
        descriptor = self.opened(IDLE)
        self.assertEqual(os.pread(descriptor, 10, 4000), b"")
        new = self.newer()
        self.assertGreaterEqual(self.number(os.pread(descriptor, 4096, 0)), new)

    def test_duplicates_share(self):
        descriptor = self.opened(IDLE)
        twin = os.dup(descriptor)
        self.addCleanup(os.close, twin)
        text = os.read(descriptor, 7)
        new = self.newer()
        text += os.read(twin, 60)
        text += rest(descriptor)
        self.assertLess(self.number(text), new)

    def test_duplicates_share_the_place_of_the_last_read(self):
        descriptor = self.opened(IDLE)
        twin = os.dup(descriptor)
        self.addCleanup(os.close, twin)
        text = os.pread(descriptor, 7, 0)
        new = self.newer()
        text += os.pread(twin, 4096, 7)
        self.assertLess(self.number(text), new)

    def test_two_opens_are_independent(self):
        first, second = self.opened(IDLE), self.opened(IDLE)
        text = os.read(first, 7)
        new = self.newer()
        self.assertGreaterEqual(self.number(rest(second)), new)
        self.assertLess(self.number(text + rest(first)), new)

    def test_small_reads_are_never_torn(self):
        seen, end, walk = set(), time.monotonic() + 2.0, 0
        while time.monotonic() < end:
            descriptor, text, walk = self.mount.open(IDLE), b"", walk + 1
            while part := os.read(descriptor, 7):
                text += part
                if walk % 4 == 0 and len(text) == 70:
                    time.sleep(0.04)
            os.close(descriptor)
            seen.add(self.number(text))
        self.assertGreater(len(seen), 5, "snapshots did not change")

    def test_whole_reads_are_never_torn_and_never_go_back(self):
        descriptor, last, seen, end = self.opened(IDLE), 0, 0, time.monotonic() + 1.0
        while time.monotonic() < end:
            new = self.number(os.pread(descriptor, 4096, 0))
            self.assertGreaterEqual(new, last)
            last, seen = new, seen + (new != last)
        self.assertGreater(seen, 5, "snapshots did not change")

    def test_one_byte_of_enabled(self):
        descriptor = self.opened(ENABLED)
        self.assertEqual(os.read(descriptor, 1), b"Y")
        self.assertEqual(os.read(descriptor, 1), b"\n")
        self.assertEqual(os.read(descriptor, 1), b"")

    def test_untouched_memory_has_no_bandwidth(self):
        self.assertEqual(self.mount.read(BANDWIDTH), b"0\n")
