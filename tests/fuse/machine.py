# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine of 16 MiB made of plain files, for tests of the page_idle engine under rootfs=.

Marks written to a plain bitmap stay set, so without a helper all of its memory is idle.
"""
import os
import time

BITMAP, FLAGS, IOMEM = "sys/kernel/mm/page_idle/bitmap", "proc/kpageflags", "proc/iomem"
PAGES = (16 << 20) // 4096
RAM = "00000000-00ffffff : System RAM\n"
HIDDEN = "00000000-00000000 : System RAM\n  00000000-00000000 : Kernel code\n"

LRU_BIT, BUDDY, HEAD, TAIL, HUGE, NOPAGE, THP, IDLE_BIT = (
    1 << bit for bit in (5, 10, 15, 16, 17, 20, 22, 25))


def words(*flags):
    """kpageflags contents."""
    return b"".join(flag.to_bytes(8, "little") for flag in flags)


LRU = words(LRU_BIT | IDLE_BIT)  # an ordinary page on which a mark stays
MACHINE = {IOMEM: RAM, BITMAP: bytes(PAGES // 8), FLAGS: LRU * PAGES}
QUICK = {"sample_us": 5000, "aggr_us": 50000, "refresh_ms": 100, "max_cpu": 100, "abi": "7.2",
         "estimator": "regions"}
QUICK_PAGES = {**QUICK, "estimator": "pages"}
DAMAGES = {"bitmap emptied": (BITMAP, b""), "bitmap cut": (BITMAP, b"\xff" * 3),
           "flags emptied": (FLAGS, b""), "flags cut": (FLAGS, LRU * 10 + b"abc"),
           "flags absurd": (FLAGS, b"\xff" * 8 * PAGES),
           "flags all tails": (FLAGS, words(LRU_BIT | IDLE_BIT | TAIL) * PAGES)}


def folios(pages, kind):
    """Flags of a machine full of folios of so many pages."""
    page = LRU_BIT | IDLE_BIT | kind
    return words(*[page | HEAD, *[page | TAIL] * (pages - 1)] * (PAGES // pages))


def damage(root, path, data):
    """Replaces the contents of a kernel file that the daemon holds open."""
    with open(os.path.join(root, path), "r+b") as stream:
        stream.truncate(0)
        stream.write(data)


def replace(root, path, text):
    """Puts another kernel file in the place of one, at once: no reader finds it empty or half."""
    with open(os.path.join(root, "new"), "w", encoding="ascii") as stream:
        stream.write(text)
    os.rename(os.path.join(root, "new"), os.path.join(root, path))


def clear_marks(path, start, size):
    """Accesses these bytes' pages about 1,000 times a second until killed."""
    descriptor, zeros = os.open(path, os.O_WRONLY), bytes(size)
    while True:
        os.pwrite(descriptor, zeros, start)
        time.sleep(0.001)
