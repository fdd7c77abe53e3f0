# SPDX-License-Identifier: GPL-2.0-or-later
"""What the page_idle engine marks and how it reads the marks back, seen in a bitmap of plain files.

A child process plays the workload: it clears marks, as an access to the page does in the kernel.
"""
import os
import time
import unittest

import calls
from machine import (BITMAP, BUDDY, FLAGS, HEAD, HUGE, IDLE_BIT, IOMEM, LRU, LRU_BIT, MACHINE,
                     NOPAGE, PAGES, QUICK, QUICK_PAGES, RAM, TAIL, THP, clear_marks, folios, words)
from support import IDLE, Mount, reap, spawn, tree

HALF = PAGES // 2
SECONDS = 1.6


class Case(unittest.TestCase):
    quick = QUICK
    just_now_ms = 0

    def run_machine(self, files, accessed=None, seconds=SECONDS, **options):
        """Runs the engine; returns the percentiles and the page numbers with marks.

        elapsed_s is the time that was monitored until then, about: a busy machine takes its time.
        """
        root = tree({**MACHINE, **files})
        path = os.path.join(root, BITMAP)
        with Mount(ops="page_idle", rootfs=root, **{**self.quick, **options}) as mount:
            child = spawn(clear_marks, path, *accessed) if accessed else None
            try:
                begun = time.monotonic()
                self.assertEqual(mount.write(b"Y"), 1)
                time.sleep(seconds)
                numbers = mount.numbers()
                self.elapsed_s = time.monotonic() - begun
            finally:
                if child:
                    os.kill(child, 9)
                    reap(child, 2)
            mount.write(b"N")
        with open(path, "rb") as stream:
            bits = int.from_bytes(stream.read(), "little")
        return numbers, [page for page in range(bits.bit_length()) if bits >> page & 1]

    def check_half_accessed(self, numbers):
        accessed = sum(number < self.just_now_ms for number in numbers)
        self.assertTrue(40 <= accessed <= 62, f"{accessed} of 101: {numbers}")
        # The refresh that is shown may have been most of a second ago, later on a busy machine.
        self.assertTrue(SECONDS - 0.7 < numbers[100] / 1000 < self.elapsed_s + 0.1,
                        (self.elapsed_s, numbers))


class Accesses(Case):
    def test_a_cleared_mark_is_an_access(self):
        numbers, _ = self.run_machine({}, (0, HALF // 8))
        self.check_half_accessed(numbers)

    def test_free_memory_is_never_accessed(self):
        """Marks do not stick on free pages: 0 means "accessed or not trackable"."""
        for name, flag in (("buddy", BUDDY), ("no page", NOPAGE), ("slab and others", 0)):
            with self.subTest(name):
                flags = words(*[LRU_BIT | IDLE_BIT] * HALF, *[flag] * HALF)
                numbers, _ = self.run_machine({FLAGS: flags}, (HALF // 8, HALF // 8), 0.8)
                self.assertGreater(numbers[0], 0, numbers)

    def test_huge_pages_of_a_pool_are_never_accessed(self):
        flags = words(*[HEAD | HUGE, *[TAIL | HUGE] * 511] * (PAGES // 512))
        numbers, _ = self.run_machine({FLAGS: flags}, (0, PAGES // 8), 0.8)
        self.assertGreater(numbers[0], 0, numbers)


class Folios(Case):
    def test_only_heads_are_marked(self):
        for pages, kind in ((512, THP), (4, 0), (16, 0), (64, 0), (1024, THP), (PAGES, 0)):
            with self.subTest(pages=pages):
                _, marked = self.run_machine({FLAGS: folios(pages, kind)}, None, 0.5)
                self.assertTrue(marked)
                self.assertEqual([page for page in marked if page % pages], [])

    def test_an_access_to_a_head_is_one_to_every_tail(self):
        for pages, kind in ((512, THP), (16, 0)):
            with self.subTest(pages=pages):
                numbers, _ = self.run_machine({FLAGS: folios(pages, kind)}, (0, HALF // 8))
                self.check_half_accessed(numbers)


class Ranges(Case):
    """Two ranges, 0 to 4 MiB and 8 to 16 MiB, and which of their pages are ever marked."""
    TWO = "00000000-003fffff : System RAM\n00400000-007fffff : Reserved\n" \
          "00800000-00ffffff : System RAM\n  00800000-008fffff : Kernel code\n"

    def marked(self, **options):
        """Marked megabytes."""
        _, pages = self.run_machine({IOMEM: self.TWO}, None, 0.8, **options)
        return {page // 256 for page in pages}

    def test_all(self):
        self.assertEqual(self.marked(ram="all"), {*range(0, 4), *range(8, 16)})

    def test_biggest(self):
        self.assertEqual(self.marked(ram="biggest"), set(range(8, 16)))

    def test_span(self):
        self.assertEqual(self.marked(ram="span"), set(range(0, 16)))

    def test_given_ranges(self):
        self.assertEqual(self.marked(ram="0x100000-0x300000"), {1, 2})
        self.assertEqual(self.marked(ram="0x000000-0x100000+0x900000-0xb00000"), {0, 9, 10})

    def test_default_is_all(self):
        self.assertEqual(self.marked(), {*range(0, 4), *range(8, 16)})


class Ends(Case):
    def test_engine_dies_when_the_ranges_vanish(self):
        """enabled reads N by itself, the last values stay, the next Y has the reason."""
        root = tree({IOMEM: RAM, BITMAP: MACHINE[BITMAP], FLAGS: LRU * PAGES})
        with Mount(ops="page_idle", rootfs=root, enabled="Y", update_us=300000, **self.quick) as mount:
            mount.wait_snapshot()
            os.unlink(os.path.join(root, IOMEM))
            time.sleep(0.6)
            self.assertEqual((mount.read(), mount.read("kdamond_pid")), (b"N\n", b"-1\n"))
            kept = mount.read(IDLE)
            self.assertNotEqual(int(kept.split(b",")[0]), 0)
            self.assertEqual(calls.outcome(mount.write, b"Y"), "ENODEV")
            self.assertEqual(calls.outcome(mount.write, b"N"), "ok")
            self.assertEqual(mount.read(IDLE), kept)


class AccessesByPages(Accesses):
    quick = QUICK_PAGES
    just_now_ms = 600  # a look comes so seldom that the workload may have stood still since


class FoliosByPages(Folios):
    quick = QUICK_PAGES
    just_now_ms = 600


class RangesByPages(Ranges):
    quick = QUICK_PAGES


class EndsByPages(Ends):
    quick = QUICK_PAGES
