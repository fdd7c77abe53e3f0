# SPDX-License-Identifier: GPL-2.0-or-later
"""What mount(8) makes of an fstab line, word by word, and what the system then shows of the mount.

A script in the program's place records its command line before it becomes the program; it is
found as /usr/local/sbin/damon-statfs, which only exists in the mount namespace of the runner.
"""
import os
import shlex
import signal
import subprocess
import unittest

import calls
from support import BINARY, ENABLED, IDLE, Mount, daemons, mountinfo, new_directory
from test_fstab import HAS_FUSE_HELPER, NO_FUSE_HELPER, SBIN

FORCED = {"LIBMOUNT_FORCE_MOUNT2": "always"}  # see test_fstab


@unittest.skipUnless(HAS_FUSE_HELPER, NO_FUSE_HELPER)
class Recorded(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        os.makedirs(SBIN, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", SBIN], check=True)
        cls.addClassCleanup(calls.umount, SBIN, calls.MNT_DETACH)
        cls.record = os.path.join(new_directory("record"), "argv")
        program = os.path.join(SBIN, "damon-statfs")
        with open(program, "w") as stream:
            stream.write(f"#!/bin/sh\nprintf '%s\\n' \"$@\" > {shlex.quote(cls.record)}\n"
                         f"exec {shlex.quote(BINARY)} \"$@\"\n")
        os.chmod(program, 0o755)

    def setUp(self):
        self.mount, self.before = Mount(), daemons()
        self.addCleanup(self.mount.clean)
        self.words = self.mount.arguments()[1]

    def run_mount(self, *arguments):
        if os.path.exists(self.record):
            os.unlink(self.record)
        done = subprocess.run(["mount", *arguments], stdin=subprocess.DEVNULL, timeout=10,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False,
                              env={**os.environ, **FORCED}, text=True)
        self.mount.pids = daemons() - self.before
        return done.returncode, done.stderr

    def argv(self):
        with open(self.record) as stream:
            return stream.read().splitlines()

    def fstab(self, options, source="damon_stat", kind="fuse.damon-statfs"):
        path = os.path.join(self.mount.root, "fstab")
        with open(path, "w") as stream:
            stream.write(f"{source} {self.mount.path} {kind} {options} 0 0\n")
        return path


class Table(Recorded):
    def test_words(self):
        """spec/parameters.md, section 4: what is dropped, what is added, what stays."""
        table = (
            ("", "rw,{},dev,suid"),
            ("dev,suid,exec,", "rw,{},dev,suid"),
            ("allow_other,", "rw,allow_other,{},dev,suid"),
            ("nosuid,nodev,noexec,noatime,uid=5,defaults,",
             "rw,nosuid,nodev,noexec,noatime,uid=5,{}"),
            ("ro,_netdev,nofail,noauto,user,x-systemd.automount,comment=hi,relatime,allow_other,",
             "ro,relatime,noexec,nosuid,nodev,allow_other,{}"),
            ("nofail,nosuid,nodev,noexec,x-systemd.mount-timeout=30s,",
             "rw,nosuid,nodev,noexec,{}"),
        )
        for words, expected in table:
            with self.subTest(words):
                line = self.fstab(words + self.words)
                code, text = self.run_mount("-T", line, self.mount.path)
                self.assertEqual(code, 0, text)
                source, directory, flag, options = self.argv()
                self.assertEqual((source, directory, flag),
                                 ("damon_stat", self.mount.path, "-o"))
                self.assertEqual(sorted(options.split(",")),
                                 sorted(expected.format(self.words).split(",")))
                self.assertEqual(len(mountinfo(self.mount.path)), 1)
                readonly = "ro" in mountinfo(self.mount.path)[0][5].split(",")
                self.assertEqual(readonly, words.startswith("ro,"))
                self.mount.stop()

    def test_an_unknown_word_is_named(self):
        for words, named in (("ro,_netdev,nofail,user,foo=bar", "foo=bar"),
                             ("nofial", "nofial"), ("enabeld=Y", "enabeld=Y"),
                             ("enabled=maybe", "enabled=maybe"), ("ops=pageidle", "ops=pageidle")):
            with self.subTest(words):
                ours = self.words if "ops=" not in words else "rootfs=" + self.mount.root
                line = self.fstab(f"{words},{ours}")
                code, text = self.run_mount("-T", line, self.mount.path)
                self.assertEqual((code, mountinfo(self.mount.path)), (1, []), text)
                said = [row for row in text.splitlines() if row.startswith("damon-statfs: ")]
                self.assertEqual(len(said), 1, text)
                self.assertIn(named, said[0])
                self.assertEqual(daemons(), self.before)

    def test_setuid(self):
        """Another user cannot mount; nothing is left of the attempt."""
        os.chmod(os.path.dirname(self.record), 0o777)  # its program can be recorded as well
        line = self.fstab("setuid=nobody," + self.words)
        code, text = self.run_mount("-T", line, self.mount.path)
        self.assertEqual(code, 32, text)
        self.assertIn("damon-statfs: must be run as root", text)
        self.assertEqual((mountinfo(self.mount.path), daemons()), ([], self.before))

    def test_another_program_name(self):
        code, text = self.run_mount("-t", "fuse3.damon-statfs", "x", self.mount.path, "-o",
                                    self.words)
        self.assertEqual(code, 127, text)
        self.assertIn("fuse3.damon-statfs: not found", text)
        self.assertEqual(mountinfo(self.mount.path), [])

    def test_empty_source(self):
        """The form type#source: only the directory is passed, if the source is empty."""
        code, text = self.run_mount("-t", "fuse", "damon-statfs#", self.mount.path, "-o",
                                    self.words)
        self.assertEqual(code, 0, text)
        self.assertEqual(self.argv()[-3:-1], [self.mount.path, "-o"])
        self.assertEqual(mountinfo(self.mount.path)[0][-2], "simulated")
        self.mount.stop()

    def test_quoting(self):
        """The shell of mount.fuse3 gets a path with blanks and quotes right."""
        self.mount.path = os.path.join(new_directory("odd"), "a b'c")
        os.mkdir(self.mount.path)
        code, text = self.run_mount("-t", "fuse.damon-statfs", "so urce", self.mount.path, "-o",
                                    self.words)
        self.assertEqual(code, 0, text)
        self.assertEqual(self.argv()[:2], ["so urce", self.mount.path])
        self.assertEqual(self.mount.read(), b"N\n")
        self.mount.stop()


class Life(Recorded):
    def mounted(self, options="", **keywords):
        self.line = self.fstab(options + self.words, **keywords)
        code, text = self.run_mount("-T", self.line, self.mount.path)
        self.assertEqual(code, 0, text)

    def test_mount_all_again_and_again(self):
        self.mounted("nofail,enabled=Y,")
        for _ in range(5):
            code, text = self.run_mount("-a", "-T", self.line)
            self.assertEqual((code, text, len(mountinfo(self.mount.path))), (0, "", 1))
        self.assertEqual(len(self.mount.pids), 1)
        self.assertFalse(os.path.exists(self.record), "the program was started again")
        self.mount.stop()

    def test_a_second_mount_says_so(self):
        self.mounted()
        for source in ("damon_stat", "other"):
            code, text = self.run_mount("-t", "fuse.damon-statfs", source, self.mount.path, "-o",
                                        self.words)
            self.assertEqual((code, len(mountinfo(self.mount.path))), (32, 1), text)
            self.assertIn("damon-statfs is already mounted there", text)
            self.assertEqual(len(text.strip().splitlines()), 1, text)
        self.assertEqual(self.mount.read(), b"N\n")
        self.mount.stop()

    def test_remount(self):
        """Plain mount -o remount runs the program again, which changes the mount and ends."""
        self.mounted("enabled=Y,")
        before = self.mount.pids
        for word, flag, answer in (("remount,ro", "ro", "EROFS"), ("remount,rw", "rw", "ok")) * 2:
            code, text = self.run_mount("-o", word, self.mount.path)
            self.assertEqual((code, text), (0, ""))
            self.assertIn("remount", self.argv()[-1].split(","))
            kept = mountinfo(self.mount.path)[0][5].split(",")
            self.assertEqual(kept[0], flag)
            self.assertLessEqual({"nosuid", "nodev", "noexec"}, set(kept))
            self.assertEqual(calls.outcome(self.mount.write, b"Y"), answer)
            self.assertEqual(self.mount.read(ENABLED), b"Y\n")
            self.assertEqual(self.mount.pids, before)
        self.mount.stop()

    def test_findmnt_and_df(self):
        self.mounted("noatime,")

        def lines(*command):
            return subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=10,
                                  text=True).stdout.splitlines()
        found = lines("findmnt", "-rno", "SOURCE,FSTYPE,OPTIONS", "--mountpoint", self.mount.path)
        source, kind, options = found[0].split()
        self.assertEqual((len(found), source, kind), (1, "damon_stat", "fuse.damon-statfs"))
        self.assertEqual(options.split(",")[:5], ["rw", "nosuid", "nodev", "noexec", "noatime"])
        free = lines("df", "-P", self.mount.path)[-1].split()
        self.assertEqual(free, ["damon_stat", "0", "0", "0", "-", self.mount.path])
        shown = subprocess.run(["df", "-P"], stdout=subprocess.PIPE, check=False, text=True).stdout
        self.assertNotIn(self.mount.path, shown)  # no blocks: left out of the list
        self.mount.stop()

    def test_a_crash_and_the_next_mount(self):
        """mount -a takes the dead mount for a mounted one; mount DIR and the program replace it."""
        self.mounted("enabled=Y,")
        self.mount.kill(signal.SIGKILL)
        self.mount.wait_gone()
        self.assertEqual(calls.outcome(os.listdir, self.mount.path), "ENOTCONN")
        code, text = self.run_mount("-t", "fuse.damon-statfs", "damon_stat", self.mount.path, "-o",
                                    "enabled=Y," + self.words)
        self.assertEqual((code, len(mountinfo(self.mount.path))), (0, 1), text)
        self.assertEqual(self.mount.read(), b"Y\n")
        self.mount.stop()

    def test_umount_by_hand(self):
        for command in (["umount"], ["umount", "-f"], ["umount", "-l"], ["umount", "-i"]):
            with self.subTest(command):
                self.mounted("enabled=Y,")
                subprocess.run([*command, self.mount.path], check=True, timeout=10)
                self.mount.wait_gone()
                self.assertEqual(os.listdir(self.mount.path), [])
        self.mounted()
        with open(self.mount.file(IDLE), "rb"):
            done = subprocess.run(["umount", self.mount.path], stderr=subprocess.PIPE, timeout=10,
                                  check=False)
            self.assertEqual(done.returncode, 32)
        self.mount.stop()
