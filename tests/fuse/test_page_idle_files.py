# SPDX-License-Identifier: GPL-2.0-or-later
"""The page_idle engine on a machine made of plain files: whole runs, exclusion, damage, hot-add.

All of its memory is idle; that is enough to see whether the engine survives bad files.
"""
import os
import stat
import subprocess
import tempfile
import time
import unittest

import calls
import support
from machine import (BITMAP, DAMAGES, FLAGS, IOMEM, LRU, MACHINE, PAGES, QUICK, QUICK_PAGES, RAM,
                     damage)
from support import ENABLED, IDLE, Mount, alive, tree, wait_for


class FixtureMachine(unittest.TestCase):
    """Nothing is ever accessed."""
    quick = QUICK

    def test_everything_is_idle(self):
        with Mount(ops="page_idle", rootfs=tree(MACHINE), **self.quick) as mount:
            mount.write(b"Y")
            start = time.monotonic()
            mount.wait_snapshot()
            time.sleep(1)
            elapsed = (time.monotonic() - start) * 1000
            numbers = mount.numbers()
            self.assertGreater(numbers[0], 0)
            self.assertTrue(0.7 * elapsed < numbers[100] < 1.1 * elapsed, f"{numbers} {elapsed}")

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
                    time.sleep(0.4)
                    self.assertTrue(alive(mount.pid))
                    self.assertEqual(len(mount.numbers()), 101)
                    self.assertEqual(mount.write(b"N"), 1)
                    self.assertEqual(mount.read(), b"N\n")

    def test_absurd_iomem(self):
        for text in ("", "junk\n", "ffffffff-00000000 : System RAM\n", "0-f : System RAM\n",
                     "00000000-ffffffffffffffff : System RAM\n", "x" * 100000,
                     "\0" * 100, "00001000-00001fff : System RAM", RAM * 3):
            with self.subTest(text[:30]):
                root = tree({**MACHINE, IOMEM: text})
                with Mount(ops="page_idle", rootfs=root, **self.quick) as mount:
                    answer = calls.outcome(mount.write, b"Y")
                    self.assertIn(answer, ("ok", "ENODEV", "EACCES", "EINVAL", "EIO", "ENXIO"))
                    self.assertEqual(mount.read(ENABLED), b"Y\n" if answer == "ok" else b"N\n")
                    time.sleep(0.05)
                    self.assertTrue(alive(mount.pid))
                    wait_for(lambda: len(mount.read(IDLE)) > 200)

    def test_dropped_samples_are_logged_once(self):
        root = tree(MACHINE)
        mount = Mount(ops="page_idle", rootfs=root, enabled="Y", **self.quick)
        self.addCleanup(mount.clean)
        with tempfile.TemporaryFile(dir=support.BASE) as log:
            process = subprocess.Popen([support.BINARY, "-f", *mount.arguments()], stdout=log,
                                       stderr=log)
            mount.pids = {process.pid}
            self.addCleanup(process.wait, 5)
            self.addCleanup(mount.clean)
            wait_for(lambda: support.mountinfo(mount.path), 5, "the mount")
            mount.wait_snapshot()
            damage(root, *DAMAGES["flags emptied"])
            damage(root, *DAMAGES["bitmap emptied"])
            time.sleep(1)
            mount.stop()
            log.seek(0)
            lines = log.read().decode().splitlines()
        first = [line for line in lines if "sample is dropped" in line]
        self.assertIn(len(first), (1, 2), lines)  # once, or once per file
        self.assertRegex("\n".join(first), "kpageflags|bitmap")
        self.assertLess(len(lines), 10, lines)

    def test_a_bitmap_that_answers_nothing_is_survived(self):
        """Every read is cut to 0 bytes, as of /dev/null."""
        root = tree({IOMEM: RAM, FLAGS: MACHINE[FLAGS]})
        path = os.path.join(root, BITMAP)
        os.makedirs(os.path.dirname(path))
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
        with Mount(ops="page_idle", rootfs=root, **self.quick) as mount:
            if calls.outcome(mount.write, b"Y") == "ok":
                time.sleep(0.5)
                self.assertGreaterEqual(mount.numbers()[0], 0, "no sample is an access")
            self.assertTrue(alive(mount.pid))

    def test_an_io_error_is_the_answer(self):
        """Writing marks fails, as to /dev/full: no start, or a start that ends by itself."""
        root = tree({IOMEM: RAM, FLAGS: MACHINE[FLAGS]})
        path = os.path.join(root, BITMAP)
        os.makedirs(os.path.dirname(path))
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 7))
        with Mount(ops="page_idle", rootfs=root, **self.quick) as mount:
            calls.outcome(mount.write, b"Y")
            wait_for(lambda: mount.read() == b"N\n", 2, "the end of the engine")
            self.assertTrue(alive(mount.pid))

    def test_hot_added_memory_is_followed(self):
        """The second half of the memory appears 1 s later, so it is idle 1 s shorter."""
        root = tree({**MACHINE, BITMAP: bytes(3 * PAGES // 8), FLAGS: LRU * 3 * PAGES})
        with Mount(ops="page_idle", rootfs=root, update_us=200000, **self.quick) as mount:
            mount.write(b"Y")
            time.sleep(1)
            with open(os.path.join(root, IOMEM), "w") as stream:
                stream.write(RAM + "02000000-02ffffff : System RAM\n")
            time.sleep(1)
            numbers = mount.numbers()
            self.assertTrue(400 < numbers[100] - numbers[10] < 1500, numbers)
            self.assertTrue(400 < numbers[100] - numbers[40] < 1500, numbers)
            self.assertTrue(-200 < numbers[100] - numbers[60] < 200, numbers)


class FixtureMachineByPages(FixtureMachine):
    """The same of estimator=pages."""
    quick = QUICK_PAGES
