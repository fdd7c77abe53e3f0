# SPDX-License-Identifier: GPL-2.0-or-later
"""-t damon-statfs: mount(8) runs /sbin/mount.damon-statfs, a link to the program.

/usr/sbin is covered, in the runner's mount namespace only, by a directory of links with ours added.
"""
import os
import subprocess
import unittest

import calls
import support
from support import BINARY, ENABLED, Mount, daemons, mountinfo, new_directory

SBIN = "/usr/sbin"


def install_helper(test_class):
    """For all tests of this class; the path of the helper."""
    original = new_directory("sbin")
    subprocess.run(["mount", "--bind", SBIN, original], check=True)
    test_class.addClassCleanup(calls.umount, original, calls.MNT_DETACH)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", SBIN], check=True)
    test_class.addClassCleanup(calls.umount, SBIN, calls.MNT_DETACH)
    for name in os.listdir(original):
        os.symlink(os.path.join(original, name), os.path.join(SBIN, name))
    helper = os.path.join(SBIN, "mount.damon-statfs")
    os.symlink(BINARY, helper)
    return helper


class Helper(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.helper = install_helper(cls)

    def setUp(self):
        self.mount, self.before = Mount(), daemons()
        self.addCleanup(self.mount.clean)
        self.words = self.mount.arguments()[1]

    def run_program(self, *command):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=10, check=False,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "LIBMOUNT_FORCE_MOUNT2": "always"})
        self.mount.pids |= self.running() - self.before
        return done.returncode, done.stderr

    def running(self):
        return daemons() | daemons("mount.damon-statfs")

    def mounted(self, *command):
        code, text = self.run_program(*command)
        self.assertEqual((code, len(mountinfo(self.mount.path))), (0, 1), text)
        line = mountinfo(self.mount.path)[0]
        self.assertEqual(line[line.index("-") + 1], "fuse.damon-statfs")
        return text

    def refused(self, code, *command):
        before = self.running()
        answer, text = self.run_program(*command)
        self.assertEqual((answer, mountinfo(self.mount.path)), (code, []), text)
        self.assertEqual(self.running(), before)
        return text

    def test_mount_and_umount(self):
        self.mounted("mount", "-t", "damon-statfs", "damon_stat", self.mount.path, "-o",
                     self.words + ",enabled=Y")
        self.assertEqual(mountinfo(self.mount.path)[0][-2], "damon_stat")
        self.assertEqual(self.mount.read(ENABLED), b"Y\n")
        with open(f"/proc/{self.mount.pid}/comm") as stream:
            self.assertEqual(stream.read(), "damon-statfs\n")
        subprocess.run(["umount", self.mount.path], check=True, timeout=10)
        self.mount.wait_gone()

    def test_flags_of_mount(self):
        for flags in (["-v"], ["-n"], ["-s"], ["-v", "-n", "-s"]):
            with self.subTest(flags):
                self.mounted("mount", *flags, "-t", "damon-statfs", "damon_stat", self.mount.path,
                             "-o", self.words)
                self.mount.stop()

    def test_as_util_linux_calls_it(self):
        own = "/proc/self/ns/mnt"
        for flags in (["-sfnv"[0:2]], ["-nv"], ["-N", own], ["-t", "damon-statfs.sub"]):
            with self.subTest(flags):
                self.mounted(self.helper, "damon_stat", self.mount.path, *flags, "-o",
                             "rw," + self.words)
                self.mount.stop()

    def test_fake(self):
        """-f checks and mounts nothing."""
        fake = (self.helper, "damon_stat", self.mount.path, "-f", "-o", self.words)
        self.assertEqual(self.refused(0, *fake), "")
        self.assertIn("foo=bar", self.refused(1, *fake[:-1], self.words + ",foo=bar"))
        missing = (self.helper, "damon_stat", self.mount.path + "/missing", "-f")
        self.assertIn("missing", self.refused(32, *missing, "-o", self.words))
        self.mounted(*fake[:3], *fake[4:])
        code, text = self.run_program(*fake)
        self.assertEqual((code, len(text.splitlines())), (32, 1), text)
        self.assertIn("already mounted", text)
        self.mount.stop()

    def test_sloppy(self):
        call = (self.helper, "damon_stat", self.mount.path, "-o", self.words + ",foo=bar")
        self.assertIn("foo=bar", self.refused(1, *call))
        self.assertIn("foo=bar", self.mounted(*call, "-s"))
        self.mount.stop()

    def test_no_word_is_a_flag(self):
        for word in ("-V", "-h", "--probe"):
            code, text = self.run_program(self.helper, "src", self.mount.path, "-o", f"{self.words},ro,{word}")
            self.assertEqual((code, mountinfo(self.mount.path)), (1, []), text)
            self.assertIn(f"{word}: unknown option", text)
        self.mounted(self.helper, "src", self.mount.path, "-o", f",{self.words},,ro,")
        self.mount.stop()

    def test_another_namespace(self):
        with subprocess.Popen(["unshare", "-m", "sleep", "30"]) as other:
            self.addCleanup(other.wait, 5)
            self.addCleanup(other.kill)
            name = f"/proc/{other.pid}/ns/mnt"
            support.wait_for(lambda: os.stat(name).st_ino != os.stat("/proc/self/ns/mnt").st_ino)
            text = self.refused(1, self.helper, "damon_stat", self.mount.path, "-N", name, "-o",
                                self.words)
            self.assertIn(name, text)
            self.assertEqual(len(text.splitlines()), 1)
            other.kill()

    def test_errors_reach_the_terminal(self):
        for words, code, named in (("nofails", 1, "nofails"), ("enabled=maybe", 1, "maybe"),
                                   ("ops=page_idle,enabled=Y", 32, "page_idle")):
            path = self.mount.path
            options = words if "ops=" in words else self.words + "," + words
            text = self.refused(code, "mount", "-t", "damon-statfs", "x", path, "-o",
                                options + ("" if "rootfs" in options else
                                           ",rootfs=" + self.mount.root))
            self.assertIn(named, text)

    def test_remount(self):
        self.mounted("mount", "-t", "damon-statfs", "x", self.mount.path, "-o", self.words)
        for word, flag in (("remount,ro", "ro"), ("remount,rw", "rw")):
            code, text = self.run_program("mount", "-t", "damon-statfs", "-o", word, "x",
                                          self.mount.path)
            self.assertEqual((code, mountinfo(self.mount.path)[0][5].split(",")[0]), (0, flag),
                             text)
        self.mount.stop()

    def test_fstab(self):
        table = os.path.join(self.mount.root, "fstab")
        with open(table, "w") as stream:
            stream.write(f"damon_stat {self.mount.path} damon-statfs nofail,{self.words} 0 0\n")
        self.mounted("mount", "-T", table, self.mount.path)
        self.mount.stop()
