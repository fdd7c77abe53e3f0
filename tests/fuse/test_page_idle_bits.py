# SPDX-License-Identifier: GPL-2.0-or-later
"""What the page_idle engine marks and how it reads the marks back, seen in a bitmap of plain files.

A child process plays the workload: it clears marks, as an access to the page does in the kernel.
"""
import os
import unittest

import calls
from machine import (BITMAP, BUDDY, FLAGS, HEAD, HUGE, IDLE_BIT, IOMEM, LRU, LRU_BIT, MACHINE,
                     NOPAGE, PAGES, QUICK, QUICK_PAGES, RAM, TAIL, THP, clear_marks, folios, words)
from snapshots import Run
from support import IDLE, Mount, reap, spawn, tree, wait_equal, wait_for

HALF = PAGES // 2
SECONDS = 5.0  # for whatever must be seen at last, on a busy machine
IDLE_MS = 900  # enough to tell memory that is never accessed from that which is


class Case(unittest.TestCase):
    quick = QUICK
    just_now_ms = 0

    def run_machine(self, files, until, accessed=None, **options):
        """Runs the engine, with a workload or without, until until(run) has what it waits for.

        Returns: that, and the page numbers with marks.
        """
        root = tree({**MACHINE, **files})
        path = os.path.join(root, BITMAP)
        with Mount(ops="page_idle", rootfs=root, **{**self.quick, **options}) as mount:
            child = spawn(clear_marks, path, *accessed) if accessed else None
            try:
                found = until(Run(mount))
            finally:
                if child:
                    os.kill(child, 9)
                    reap(child, 5)
            mount.write(b"N")
        return found, marked_pages(path)

    def check_half_accessed(self, flags):
        """Half of the memory is accessed without end, and half of it never."""
        def is_seen(run):
            seen = run.wait_idle(IDLE_MS)
            while not 40 <= (accessed := sum(n < self.just_now_ms for n in seen.numbers)) <= 62:
                self.assertLess(run.seconds(), SECONDS, f"{accessed} of 101 in {seen.numbers}")
                seen = run.next_snapshot()
            run.check_never_accessed(self, seen.numbers[100], seen)
        self.run_machine({FLAGS: flags}, is_seen, (0, HALF // 8))


def marked_pages(path):
    with open(path, "rb") as stream:
        bits = int.from_bytes(stream.read(), "little")
    return [page for page in range(bits.bit_length()) if bits >> page & 1]


def two_snapshots(run):
    """The idle times after two refreshes."""
    run.next_snapshot()
    return run.next_snapshot().numbers


class Accesses(Case):
    def test_a_cleared_mark_is_an_access(self):
        self.check_half_accessed(MACHINE[FLAGS])

    def test_free_memory_is_never_accessed(self):
        """Marks do not stick on free pages: 0 means "accessed or not trackable"."""
        for name, flag in (("buddy", BUDDY), ("no page", NOPAGE), ("slab and others", 0)):
            with self.subTest(name):
                flags = words(*[LRU_BIT | IDLE_BIT] * HALF, *[flag] * HALF)
                numbers, _ = self.run_machine({FLAGS: flags}, two_snapshots, (HALF // 8, HALF // 8))
                self.assertGreater(numbers[0], 0, numbers)

    def test_huge_pages_of_a_pool_are_never_accessed(self):
        flags = words(*[HEAD | HUGE, *[TAIL | HUGE] * 511] * (PAGES // 512))
        numbers, _ = self.run_machine({FLAGS: flags}, two_snapshots, (0, PAGES // 8))
        self.assertGreater(numbers[0], 0, numbers)


class Folios(Case):
    def test_only_heads_are_marked(self):
        for pages, kind in ((512, THP), (4, 0), (16, 0), (64, 0), (1024, THP), (PAGES, 0)):
            with self.subTest(pages=pages):
                _, marked = self.run_machine({FLAGS: folios(pages, kind)}, two_snapshots)
                self.assertGreater(len(marked), 0)
                self.assertEqual([page for page in marked if page % pages], [])

    def test_an_access_to_a_head_is_one_to_every_tail(self):
        for pages, kind in ((512, THP), (16, 0)):
            with self.subTest(pages=pages):
                self.check_half_accessed(folios(pages, kind))


class Ranges(Case):
    """Two ranges, 0 to 4 MiB and 8 to 16 MiB, and which of their pages are ever marked."""
    TWO = "00000000-003fffff : System RAM\n00400000-007fffff : Reserved\n" \
          "00800000-00ffffff : System RAM\n  00800000-008fffff : Kernel code\n"

    def check_marked(self, wanted, **options):
        """After two refreshes, and as many more as it takes, these megabytes have marks and no other."""
        def megabytes(path):
            return {page // 256 for page in marked_pages(path)}

        def until(run):
            two_snapshots(run)
            bitmap = os.path.join(run.mount.root, BITMAP)
            wait_for(lambda: megabytes(bitmap) >= wanted, SECONDS, f"marks in all of {wanted}")
        _, pages = self.run_machine({IOMEM: self.TWO}, until, **options)
        self.assertEqual({page // 256 for page in pages}, wanted)

    def test_all(self):
        self.check_marked({*range(0, 4), *range(8, 16)}, ram="all")

    def test_biggest(self):
        self.check_marked(set(range(8, 16)), ram="biggest")

    def test_span(self):
        self.check_marked(set(range(0, 16)), ram="span")

    def test_given_ranges(self):
        self.check_marked({1, 2}, ram="0x100000-0x300000")
        self.check_marked({0, 9, 10}, ram="0x000000-0x100000+0x900000-0xb00000")

    def test_default_is_all(self):
        self.check_marked({*range(0, 4), *range(8, 16)})


class Ends(Case):
    def test_engine_dies_when_the_ranges_vanish(self):
        """enabled reads N by itself, the last values stay, the next Y has the reason."""
        root = tree({IOMEM: RAM, BITMAP: MACHINE[BITMAP], FLAGS: LRU * PAGES})
        with Mount(ops="page_idle", rootfs=root, enabled="Y", update_us=300000, **self.quick) as mount:
            mount.wait_snapshot()
            os.unlink(os.path.join(root, IOMEM))
            wait_equal(mount.read, b"N\n", SECONDS, "the state")
            self.assertEqual(mount.read("kdamond_pid"), b"-1\n")
            kept = mount.read(IDLE)
            self.assertNotEqual(int(kept.split(b",")[0]), 0)
            self.assertEqual(calls.outcome(mount.write, b"Y"), "ENODEV")
            self.assertEqual(calls.outcome(mount.write, b"N"), "ok")
            self.assertEqual(mount.read(IDLE), kept)


class AccessesByPages(Accesses):
    quick = QUICK_PAGES
    just_now_ms = 600  # a check comes so seldom that the workload may have stood still since


class FoliosByPages(Folios):
    quick = QUICK_PAGES
    just_now_ms = 600


class RangesByPages(Ranges):
    quick = QUICK_PAGES


class EndsByPages(Ends):
    quick = QUICK_PAGES
