# SPDX-License-Identifier: GPL-2.0-or-later
"""Mountpoints that would hide the kernel's files from the daemon: refused before mount(2).

Mounted there, its main thread would look for them below its own mount, and wait for its own answer.
"""
import contextlib
import os
import subprocess
import unittest

import support
from support import BINARY, Mount, daemons, mountinfo, wait_for
from test_damon_stat import DIRECTORY, kernel

# Those that are, or lie above, what some operations set reads or where the daemon keeps its files.
REFUSED = ("", "proc", "proc/sys", "sys", "sys/kernel", "sys/kernel/mm", "sys/kernel/mm/page_idle",
           "sys/kernel/mm/damon/admin", "sys/kernel/tracing", "sys/kernel/tracing/instances",
           "sys/module", "sys/module/damon_stat", "dev", "run", "run/damon-statfs")
# Those that only look like it.
ALLOWED = ("process", "system", "sys/kernel/mmx", "sys/module/damon_statx", "sys/module/other",
           "dev/shm", "run/damon_stat", "run/damon-statfs/m")
TEXT = "the mount would hide files that damon-statfs reads"


def new_root():
    root = kernel("7.2")
    for name in (*REFUSED, *ALLOWED):
        os.makedirs(os.path.join(root, name), exist_ok=True)
    return root


class BelowRootfs(unittest.TestCase):
    def setUp(self):
        self.root = new_root()

    def refused(self, mount, text):
        before = daemons()
        start = subprocess.Popen([BINARY, *mount.arguments()], stdin=subprocess.DEVNULL, text=True,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            said = start.communicate(timeout=5)[1]
        finally:
            mount.pids = daemons() - before
            mount.clean()
            start.wait(5)
        self.assertEqual((start.returncode, said.count("\n")), (32, 1), said)
        self.assertIn(f"{mount.path}: {text}", said)
        self.assertEqual((mountinfo(mount.path), mount.pids), ([], set()))

    def test_refused(self):
        for ops in ("sim", "damon_stat", "auto"):
            for name in REFUSED:
                path = os.path.join(self.root, name).rstrip("/")
                with self.subTest(name, ops=ops):
                    self.refused(Mount(ops=ops, rootfs=self.root, path=path), TEXT)

    def test_refused_by_another_name(self):
        link = os.path.join(support.new_directory("link"), "l")
        os.symlink(os.path.join(self.root, "sys"), link)
        for path in (link + "/module", link + "/kernel/../module", self.root + "/./sys//module/"):
            with self.subTest(path):
                real = os.path.join(self.root, "sys/module")
                mount = Mount(ops="damon_stat", rootfs=self.root, path=path)
                arguments = mount.arguments()
                mount.path = real
                mount.arguments = lambda words=arguments: words
                self.refused(mount, TEXT)

    def test_allowed(self):
        for name in ALLOWED:
            path = os.path.join(self.root, name)
            with self.subTest(name), Mount(ops="damon_stat", rootfs=self.root, path=path) as mount:
                self.assertEqual(mount.read(), b"N\n")

    def test_in_the_place_of_the_kernels(self):
        """That is what the daemon mimics; only a mirror of that directory cannot lie over it."""
        path = os.path.join(self.root, DIRECTORY)
        with Mount(rootfs=self.root, path=path, enabled="Y") as mount:
            self.assertEqual(mount.read(), b"Y\n")
        for ops in ("damon_stat", "auto"):
            self.refused(Mount(ops=ops, rootfs=self.root, path=path),
                         f"ops={ops} mirrors this directory")


class Machine(unittest.TestCase):
    """The machine's own directories, in a mount namespace that ends with the attempt."""

    def test_refused(self):
        for path in ("/", "/proc", "/proc/sys", "/sys", "/sys/kernel", "/sys/kernel/mm",
                     "/sys/module", "/dev", "/run", "/run/damon-statfs"):
            with self.subTest(path):
                before = daemons()
                start = subprocess.Popen(["unshare", "-m", "--propagation", "private", BINARY, "-o",
                                          "ops=sim,sim=64M@10ms", path], stdin=subprocess.DEVNULL,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                         text=True)
                try:
                    said = start.communicate(timeout=5)[1]
                    left = daemons() - before
                finally:
                    for pid in daemons() - before:
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(pid, 9)
                    start.wait(5)
                self.assertEqual((start.returncode, left), (32, set()), said)
                self.assertEqual(said.count("\n"), 1, said)
                self.assertIn(f"{path}: {TEXT}", said)
                wait_for(lambda: not daemons() - before, 5, "the end of what was started")
