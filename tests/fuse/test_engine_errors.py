# SPDX-License-Identifier: GPL-2.0-or-later
"""An engine that cannot start or dies: the real reason as errno, state N, a line that helps.

Kernel files are fixtures under rootfs=, so that nothing of the host's kernel is touched.
"""
import os
import unittest

import calls
import support
from machine import BITMAP, FLAGS, HIDDEN, IOMEM, LRU, MACHINE, PAGES, RAM
from support import PID, Mount, alive, daemons, mountinfo, tree


class CannotStart(unittest.TestCase):
    def check(self, answer, files, *names, ops="page_idle"):
        """Y is answered with this errno and N is read; enabled=Y does not mount."""
        root = tree(files)
        with Mount(ops=ops, rootfs=root, abi="7.2") as mount:
            for _ in range(3):
                self.assertEqual(calls.outcome(mount.write, b"Y"), answer)
                self.assertEqual((mount.read(), mount.read(PID)), (b"N\n", b"-1\n"))
                self.assertEqual(calls.outcome(mount.write, b"N"), "ok")
            self.assertTrue(alive(mount.pid))
        mount = Mount(ops=ops, rootfs=root, enabled="Y")
        self.addCleanup(mount.clean)
        done = support.run_daemon(*mount.arguments())
        self.assertEqual(done.returncode, 32, done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        for name in names:
            self.assertIn(name, done.stderr)
        self.assertEqual((mountinfo(mount.path), daemons()), ([], set()))

    def test_no_page_idle(self):
        self.check("ENODEV", {}, BITMAP)
        self.check("ENODEV", {IOMEM: RAM, FLAGS: LRU * PAGES}, BITMAP)

    def test_auto_never_picks_sim(self):
        self.check("ENODEV", {}, ops="auto")

    def test_hidden_iomem(self):
        self.check("EACCES", {**MACHINE, IOMEM: HIDDEN}, "iomem")

    def test_a_failed_start_leaves_no_thread(self):
        with Mount(ops="page_idle", rootfs=tree({})) as mount:
            before = len(os.listdir(f"/proc/{mount.pid}/task"))
            for _ in range(20):
                calls.outcome(mount.write, b"Y")
            self.assertLessEqual(len(os.listdir(f"/proc/{mount.pid}/task")), before + 1)
            self.assertLess(len(os.listdir(f"/proc/{mount.pid}/fd")), 20)

    def test_later_it_can_start(self):
        """The kernel file appears: the next Y works."""
        root = tree({IOMEM: RAM, FLAGS: LRU * PAGES})
        with Mount(ops="page_idle", rootfs=root) as mount:
            self.assertEqual(calls.outcome(mount.write, b"Y"), "ENODEV")
            path = os.path.join(root, BITMAP)
            os.makedirs(os.path.dirname(path))
            with open(path, "wb") as stream:
                stream.write(MACHINE[BITMAP])
            self.assertEqual(calls.outcome(mount.write, b"Y"), "ok")
            self.assertEqual(mount.read(), b"Y\n")


class Probe(unittest.TestCase):
    def probe(self, files):
        done = support.run_daemon("--probe", "-o", "rootfs=" + tree(files))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = done.stdout.strip().splitlines()
        page_idle = [line for line in lines if "page_idle" in line.split()[0]]
        sim = [line for line in lines if "sim" in line.split()[0]]
        self.assertEqual((len(page_idle), len(sim)), (1, 1), done.stdout)
        self.assertIn("simulated", sim[0].lower())
        return page_idle[0]

    def test_names_the_missing_file(self):
        self.assertIn("/" + BITMAP, self.probe({}))

    def test_names_the_kernel_option(self):
        self.assertIn("IDLE_PAGE_TRACKING", self.probe({}))

    def test_hidden_iomem(self):
        self.assertIn("/proc/iomem", self.probe({**MACHINE, IOMEM: HIDDEN}))

    def test_usable(self):
        line = self.probe(MACHINE)
        self.assertIn("usable", line)
        self.assertNotRegex(line.lower(), "not usable|unusable")

    def test_one_line_per_set(self):
        done = support.run_daemon("--probe", "-o", "rootfs=" + tree({}))
        first = [line.split()[0].strip(":") for line in done.stdout.strip().splitlines()]
        self.assertEqual(len(first), len(set(first)))
