# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine that is not as it should be: /run, /dev/fuse, a mount namespace, two at once.

One line names what is wrong, the exit status is 32, and nothing is left mounted or running.
"""
import contextlib
import os
import subprocess
import time
import unittest

import calls
import support
from machine import IOMEM, MACHINE, RAM
from support import BINARY, Mount, alive, daemons, mountinfo, new_directory, tree, wait_for

ADMIN = "sys/kernel/mm/damon/admin/kdamonds/nr_kdamonds"
KDAMOND = {ADMIN: "0\n", IOMEM: RAM, "proc/sys/kernel/random/boot_id": "boot\n"}


def in_namespace(script, *command):
    """The command after a shell script, in a mount namespace of its own."""
    return subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c",
                           script + ' exec "$@"', "sh", *command], stdout=subprocess.DEVNULL,
                          stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=10,
                          check=False, text=True)


class Run(unittest.TestCase):
    """/run as a small tmpfs of its own below rootfs=."""

    def root(self, files, options):
        root = tree(files)
        run = os.path.join(root, "run")
        os.mkdir(run)
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", run], check=True)
        self.addCleanup(calls.umount, run, calls.MNT_DETACH)
        return root

    def refused(self, ops, root, *words):
        mount = Mount(ops=ops, rootfs=root, enabled="Y")
        self.addCleanup(mount.clean)
        for flags in ([], ["-f"]):
            done = support.run_daemon(*flags, *mount.arguments())
            self.assertEqual(done.returncode, 32, done.stderr)
            self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
            for word in words:
                self.assertIn(word, done.stderr)
        self.assertEqual((mountinfo(mount.path), daemons()), ([], set()))
        self.assertEqual(os.listdir(mount.path), [])

    def test_read_only(self):
        for ops, files in (("page_idle", MACHINE), ("kdamond", KDAMOND)):
            root = self.root(files, "ro")
            self.refused(ops, root, f"{root}/run/damon-statfs: ", "Read-only file system")
            self.assertEqual(os.listdir(os.path.join(root, "run")), [])

    def test_no_inodes_left(self):
        for ops, files, name in (("page_idle", MACHINE, "page_idle.lock"),
                                 ("kdamond", KDAMOND, "kdamond")):
            root = self.root(files, "nr_inodes=2")
            self.refused(ops, root, f"run/damon-statfs/{name}: ", "No space left on device")

    def test_no_blocks_left(self):
        """The record of what is ours cannot be written, so nothing is begun."""
        root = self.root(KDAMOND, "size=4k")
        with open(os.path.join(root, "run/full"), "wb") as stream:
            stream.write(bytes(4096))
        self.refused("kdamond", root, "run/damon-statfs/kdamond: ", "No space left on device")
        with open(os.path.join(root, ADMIN)) as stream:
            self.assertEqual(stream.read(), "0\n")

    def test_a_file_in_its_place(self):
        for ops, files in (("page_idle", MACHINE), ("kdamond", KDAMOND)):
            root = tree({**files, "run": "no directory"})
            self.refused(ops, root, f"{root}/run", "Not a directory")

    def test_a_write_is_refused_and_the_mount_lives(self):
        root = self.root(MACHINE, "ro")
        with Mount(ops="page_idle", rootfs=root) as mount:
            self.assertEqual(calls.outcome(mount.write, b"Y"), "EROFS")
            self.assertEqual(mount.read(), b"N\n")
            status = support.run_daemon("--status", mount.path).stdout
            self.assertRegex(status, "last_error: .*run/damon-statfs: Read-only file system")


class Device(unittest.TestCase):
    def refused(self, script, *words):
        mount = Mount(enabled="Y")
        done = in_namespace(script, BINARY, *mount.arguments())
        self.assertEqual(done.returncode, 32, done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertEqual(daemons(), set())

    def test_missing(self):
        self.refused("mount -t tmpfs none /dev &&", "/dev/fuse: No such file", "fuse module")

    def test_no_rights(self):
        """The module is there, so the daemon does not load it."""
        mount = Mount(enabled="Y")
        done = in_namespace("mount -t tmpfs none /dev && mknod -m 0 /dev/fuse c 10 229 &&", "setpriv",
                            "--bounding-set", "-dac_override,-dac_read_search", BINARY, *mount.arguments())
        self.assertEqual(done.returncode, 32, done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        self.assertIn("/dev/fuse: Permission denied (do its mode", done.stderr)
        self.assertNotIn("module", done.stderr)

    def test_not_the_device(self):
        self.refused("mount --bind /dev/null /dev/fuse &&", "damon-statfs: ")

    def test_no_right_to_mount(self):
        mount = Mount()
        done = subprocess.run(["setpriv", "--bounding-set", "-sys_admin", BINARY,
                               *mount.arguments()], stderr=subprocess.PIPE, timeout=10,
                              check=False, text=True)
        self.assertEqual(done.returncode, 32, done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        self.assertIn("CAP_SYS_ADMIN", done.stderr)
        self.assertEqual((mountinfo(mount.path), daemons()), ([], set()))


class Namespace(unittest.TestCase):
    WARNING = "mount namespace of its own"

    def test_a_hidden_mount_is_told(self):
        mount, before = Mount(), daemons()
        self.addCleanup(mount.clean)
        done = in_namespace("", BINARY, *mount.arguments())
        mount.pids = daemons() - before
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [line for line in done.stderr.splitlines() if self.WARNING in line]
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertIn(mount.path, lines[0])
        self.assertEqual(mountinfo(mount.path), [])

    def test_an_ordinary_one_is_not(self):
        with Mount() as mount:
            self.assertNotIn(self.WARNING, mount.start.stderr)


class OnePerPath(unittest.TestCase):
    def test_many_starts_at_once(self):
        """One gets it; each other one says so in one line."""
        mount, before = Mount(enabled="Y"), daemons()
        self.addCleanup(mount.clean)
        starts = [subprocess.Popen([BINARY, *mount.arguments()], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                  for _ in range(8)]
        done = [(start.communicate(timeout=20)[1], start.returncode) for start in starts]
        mount.pids = daemons() - before
        self.assertEqual(sorted(code for _, code in done), [0] + [32] * 7, done)
        for text, code in done:
            if code:
                self.assertEqual(len(text.splitlines()), 1, text)
                self.assertRegex(text, "already mounted there|being mounted there")
        self.assertEqual((len(mountinfo(mount.path)), len(mount.pids)), (1, 1))
        self.assertEqual(mount.read(), b"Y\n")
        mount.stop()

    def test_another_path_to_it(self):
        link = os.path.join(new_directory("link"), "l")
        with Mount() as mount:
            os.symlink(mount.path, link)
            for path in (link, mount.path + "/", mount.path + "/."):
                done = support.run_daemon(*Mount(path=path).arguments())
                self.assertEqual(done.returncode, 32)
                self.assertIn("already mounted there", done.stderr)
            self.assertEqual(len(mountinfo(mount.path)), 1)
            self.assertTrue(alive(mount.pid))

    def test_after_a_crash_in_the_middle(self):
        """The lock is the kernel's: it goes with the process that held it."""
        mount = Mount()
        for step in range(5):
            start = subprocess.Popen([BINARY, *mount.arguments()], stderr=subprocess.DEVNULL)
            time.sleep(0.005 * step)  # before the program begins, and at other places of its start
            start.kill()
            start.wait()
            for pid in daemons():
                with contextlib.suppress(ProcessLookupError):  # its starter is gone, so it may just have ended
                    os.kill(pid, 9)
            wait_for(lambda: not daemons(), 5, "the end of all")
        with Mount(path=mount.path) as again:
            self.assertEqual(len(mountinfo(again.path)), 1)
