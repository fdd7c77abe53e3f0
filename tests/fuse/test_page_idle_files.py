# SPDX-License-Identifier: GPL-2.0-or-later
"""The page_idle engine on a machine made of plain files: whole runs, exclusion, damage, hot-add.

All of its memory is idle; that is enough to see whether the engine survives bad files.
"""
import os
import stat
import time
import unittest

import calls
from machine import (BITMAP, DAMAGES, FLAGS, IOMEM, LRU, MACHINE, PAGES, QUICK, QUICK_PAGES, RAM,
                     damage, replace)
from snapshots import LATE_SECONDS, Run
from support import ENABLED, Foreground, Mount, alive, tree, wait_equal, wait_for
from test_status import status_of_mount as status_of

UPDATE_SECONDS = 0.2  # between two reads of the ranges of memory
SECOND_RAM = "02000000-02ffffff : System RAM\n"
BLOCKS = "sys/devices/system/memory"
DROPPED = 20  # samples: enough to be sure that each of them is not logged


class FixtureMachine(unittest.TestCase):
    """Nothing is ever accessed."""
    quick = QUICK

    def test_everything_is_idle(self):
        with Mount(ops="page_idle", rootfs=tree(MACHINE), **self.quick) as mount:
            run = Run(mount)
            seen = run.wait_idle(500)
            for number in (seen.numbers[0], seen.numbers[100]):
                run.check_never_accessed(self, number, seen)

    def test_two_engines_on_one_machine_are_refused(self):
        root = tree(MACHINE)
        with Mount(ops="page_idle", rootfs=root, **self.quick) as first, \
                Mount(ops="page_idle", rootfs=root, **self.quick) as second:
            first.write(b"Y")
            self.assertEqual(calls.outcome(second.write, b"Y"), "EBUSY")
            self.assertEqual((first.read(), second.read()), (b"Y\n", b"N\n"))
            first.write(b"N")
            self.assertEqual(calls.outcome(second.write, b"Y"), "ok")
            self.assertEqual(calls.outcome(first.write, b"Y"), "EBUSY")

    def test_whoever_holds_the_lock_unseen_is_named(self):
        """After umount -l with a file open there is no mount, but there is an engine, with its lock."""
        root = tree(MACHINE)
        with Mount(ops="page_idle", rootfs=root, enabled="Y", **self.quick) as first:
            descriptor = first.open()
            calls.umount(first.path, calls.MNT_DETACH)
            named = f"another damon-statfs (process {first.pid}) is monitoring"
            refused = Mount(ops="page_idle", rootfs=root, enabled="Y", **self.quick)
            refused.begin()
            self.addCleanup(refused.clean)
            self.assertEqual(refused.start.returncode, 32)
            self.assertIn(named, refused.start.stderr)
            with Foreground(ops="page_idle", rootfs=root, **self.quick) as second:
                self.assertEqual(calls.outcome(second.write, b"Y"), "EBUSY")
                self.assertIn(named, second.log())
            calls.close(descriptor)
            first.wait_gone()

    def test_a_running_kdamond_is_refused(self):
        """Its marks and ours would destroy each other's (spec/damon.md, section 5)."""
        admin, modules = "sys/kernel/mm/damon/admin/kdamonds/", "sys/module/"
        thread = {"proc/77/comm": "kdamond.0\n", "proc/77/stat": "77 (kdamond.0) S 2 0 0 0 -1\n"}
        for name, files in (
                ("sysfs", {admin + "nr_kdamonds": "1\n", admin + "0/state": "on\n",
                           admin + "0/pid": "77\n"}),
                ("stat", {modules + "damon_stat/parameters/enabled": "Y\n"}),
                ("reclaim", {modules + "damon_reclaim/parameters/enabled": "Y\n",
                             modules + "damon_reclaim/parameters/kdamond_pid": "77\n"})):
            with self.subTest(name):
                root = tree({**MACHINE, **thread, **files})
                with Mount(ops="page_idle", rootfs=root, **self.quick) as mount:
                    self.assertEqual(calls.outcome(mount.write, b"Y"), "EBUSY")
                    self.assertEqual(mount.read(), b"N\n")

    def test_a_kdamond_that_is_off_is_no_obstacle(self):
        files = {"sys/kernel/mm/damon/admin/kdamonds/nr_kdamonds": "1\n",
                 "sys/kernel/mm/damon/admin/kdamonds/0/state": "off\n",
                 "sys/kernel/mm/damon/admin/kdamonds/0/pid": "-1\n",
                 "sys/module/damon_stat/parameters/enabled": "N\n"}
        with Mount(ops="page_idle", rootfs=tree({**MACHINE, **files}), **self.quick) as mount:
            self.assertEqual(calls.outcome(mount.write, b"Y"), "ok")

    def test_the_lock_does_not_outlive_a_crash(self):
        root = tree(MACHINE)
        with Mount(ops="page_idle", rootfs=root, enabled="Y", **self.quick) as first:
            first.kill(9)
            first.wait_gone()
            with Mount(ops="page_idle", rootfs=root, enabled="Y", **self.quick) as second:
                self.assertEqual(second.read(), b"Y\n")

    def test_damaged_kernel_files_never_crash(self):
        for name, (path, data) in DAMAGES.items():
            with self.subTest(name):
                root = tree(MACHINE)
                with Mount(ops="page_idle", rootfs=root, enabled="Y", **self.quick) as mount:
                    mount.wait_snapshot()
                    damage(root, path, data)
                    for _ in range(3):
                        mount.wait_newer(mount.numbers())
                    self.assertTrue(alive(mount.pid))
                    self.assertEqual(len(mount.numbers()), 101)
                    self.assertEqual(mount.write(b"N"), 1)
                    self.assertEqual(mount.read(), b"N\n")

    def test_absurd_iomem(self):
        """An errno where no memory is left, or whatever of it makes sense is monitored."""
        for text, wanted in (("", "ENODEV"), ("junk\n", "ENODEV"), ("x" * 100000, "ENODEV"),
                             ("\0" * 100, "ENODEV"), ("ffffffff-00000000 : System RAM\n", "ENODEV"),
                             ("00000000-00000000 : System RAM\n", "EACCES"),
                             ("00000000-ffffffffffffffff : System RAM\n", "ENODEV"),
                             ("0-f : System RAM\n", "ok"), ("00001000-00001fff : System RAM", "ok"),
                             (RAM * 3, "ok")):
            with self.subTest(text[:30]):
                root = tree({**MACHINE, IOMEM: text})
                with Mount(ops="page_idle", rootfs=root, **self.quick) as mount:
                    self.assertEqual(calls.outcome(mount.write, b"Y"), wanted)
                    self.assertEqual(mount.read(ENABLED), b"Y\n" if wanted == "ok" else b"N\n")
                    if wanted == "ok":
                        self.assertGreater(mount.wait_snapshot().numbers()[0], 0)
                    else:
                        self.assertEqual(mount.numbers(), [0] * 101)
                    self.assertTrue(alive(mount.pid))

    def test_dropped_samples_are_logged_once(self):
        root = tree(MACHINE)
        with Foreground(ops="page_idle", rootfs=root, enabled="Y", **self.quick) as mount:
            mount.wait_snapshot()
            damage(root, *DAMAGES["flags emptied"])
            damage(root, *DAMAGES["bitmap emptied"])
            wait_for(lambda: dropped(mount) >= DROPPED, what=f"{DROPPED} dropped samples")
            status, log = mount.end()
        self.assertEqual(status, 0, log)
        lines = log.splitlines()
        first = [line for line in lines if "sample is dropped" in line]
        self.assertIn(len(first), (1, 2), log)  # once, or once per file
        self.assertRegex("\n".join(first), "kpageflags|bitmap")
        self.assertLess(len(lines), 10, log)

    def test_a_bitmap_that_answers_nothing_is_survived(self):
        """Every read is cut to 0 bytes, as of /dev/null."""
        root = tree({IOMEM: RAM, FLAGS: MACHINE[FLAGS]})
        path = os.path.join(root, BITMAP)
        os.makedirs(os.path.dirname(path))
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
        with Mount(ops="page_idle", rootfs=root, **self.quick) as mount:
            self.assertEqual(calls.outcome(mount.write, b"Y"), "ok")
            wait_for(lambda: dropped(mount) >= DROPPED, what=f"{DROPPED} dropped samples")
            self.assertGreaterEqual(mount.numbers()[0], 0, "no sample is an access")
            self.assertTrue(alive(mount.pid))

    def test_an_io_error_is_the_answer(self):
        """Writing marks fails, as to /dev/full: no start, or monitoring that ends by itself."""
        root = tree({IOMEM: RAM, FLAGS: MACHINE[FLAGS]})
        path = os.path.join(root, BITMAP)
        os.makedirs(os.path.dirname(path))
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 7))
        with Mount(ops="page_idle", rootfs=root, **self.quick) as mount:
            # "ok" when the mark comes after the main thread has seen that monitoring is on.
            self.assertIn(calls.outcome(mount.write, b"Y"), ("ok", "ENOSPC"))
            wait_equal(mount.read, b"N\n", what="the state")
            self.assertTrue(alive(mount.pid))

    def test_hot_added_memory_is_followed(self):
        self.check_added_memory({}, lambda root: replace(root, IOMEM, RAM + SECOND_RAM))

    def test_memory_that_goes_online_is_followed(self):
        blocks = {BLOCKS + "/block_size_bytes": "1000000\n", BLOCKS + "/memory0/state": "online\n",
                  BLOCKS + "/memory2/state": "offline\n", IOMEM: RAM + SECOND_RAM}
        self.check_added_memory(blocks, lambda root: replace(root, BLOCKS + "/memory2/state", "online\n"))

    def check_added_memory(self, files, add):
        """The second half of the memory appears later, so it is idle for so much shorter.

        Regions stay apart until the younger one is half as old as the other: for as long again.
        """
        root = tree({**MACHINE, BITMAP: bytes(3 * PAGES // 8), FLAGS: LRU * 3 * PAGES, **files})
        with Mount(ops="page_idle", rootfs=root, update_us=int(1e6 * UPDATE_SECONDS), **self.quick) as mount:
            run = Run(mount)
            run.wait_idle(1500)
            added = time.monotonic()
            add(root)
            noticed = time.monotonic() + UPDATE_SECONDS
            numbers = wait_for(lambda: is_younger(mount.numbers()), what="younger memory")
            least, most = added - run.on - LATE_SECONDS, noticed - run.begun + LATE_SECONDS
            for percent in (10, 40):
                self.assertTrue(least < (numbers[100] - numbers[percent]) / 1000 < most,
                                (least, most, numbers))
            self.assertLess(numbers[100] - numbers[60], 1000 * LATE_SECONDS, numbers)


def dropped(mount):
    return status_of(mount)["nr_dropped"] or 0  # unknown until there is a snapshot


def is_younger(numbers):
    """The idle times, if half of the memory has been there for some shorter time than the other half."""
    return numbers if 100 < numbers[10] and numbers[40] < numbers[100] - 400 else None


class FixtureMachineByPages(FixtureMachine):
    """The same of estimator=pages."""
    quick = QUICK_PAGES
