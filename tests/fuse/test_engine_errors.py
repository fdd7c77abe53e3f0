# SPDX-License-Identifier: GPL-2.0-or-later
"""An engine that cannot start or dies: the real reason as errno, state N, a line that helps.

Kernel files are fixtures under rootfs=, so that nothing of the host's kernel is touched.
"""
import os
import unittest

import calls
import support
from machine import BITMAP, FLAGS, HIDDEN, IOMEM, LRU, MACHINE, PAGES, RAM
from support import PID, Mount, alive, daemons, mountinfo, tree, wait_for


class CannotStart(unittest.TestCase):
    def check(self, answer, files, *names, ops="page_idle", **words):
        """Y is answered with this errno and N is read; enabled=Y does not mount."""
        root = tree(files)
        with Mount(ops=ops, rootfs=root, abi="7.2", **words) as mount:
            for _ in range(3):
                self.assertEqual(calls.outcome(mount.write, b"Y"), answer)
                self.assertEqual((mount.read(), mount.read(PID)), (b"N\n", b"-1\n"))
                self.assertEqual(calls.outcome(mount.write, b"N"), "ok")
            self.assertTrue(alive(mount.pid))
        mount = Mount(ops=ops, rootfs=root, enabled="Y", **words)
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
        self.check("ENODEV", {}, "page_idle", BITMAP, ops="auto")

    def test_auto_beside_a_kdamond(self):
        state = {"sys/module/damon_reclaim/parameters/enabled": "Y\n"}
        self.check("EBUSY", {**MACHINE, **state}, "page_idle", "damon_reclaim", ops="auto")

    def test_auto_without_rights(self):
        self.check("EACCES", {**MACHINE, IOMEM: HIDDEN}, "page_idle", "iomem", ops="auto")

    def test_hidden_iomem(self):
        self.check("EACCES", {**MACHINE, IOMEM: HIDDEN}, "iomem")

    def test_addresses_that_are_no_memory(self):
        self.check("ENODEV", MACHINE, "ram=0x10000000000-0x20000000000: no System RAM", ram="1T-2T")

    def test_all_memory_is_offline(self):
        blocks = "sys/devices/system/memory"
        self.check("ENODEV", {**MACHINE, blocks + "/block_size_bytes": "1000000\n",
                              blocks + "/memory0/state": "offline\n"}, "offline")

    def test_a_failed_start_leaves_no_thread(self):
        with Mount(ops="page_idle", rootfs=tree({})) as mount:
            def threads():
                return len(os.listdir(f"/proc/{mount.pid}/task"))
            before = threads()
            for _ in range(20):
                self.assertEqual(calls.outcome(mount.write, b"Y"), "ENODEV")
            # The last one has given its answer, but may not have ended yet; TSan adds one of its own.
            wait_for(lambda: threads() <= before + 1, 5, "the end of the threads")
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
