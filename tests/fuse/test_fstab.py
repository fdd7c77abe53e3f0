# SPDX-License-Identifier: GPL-2.0-or-later
"""What mount(8), fstab and systemd pass: generic words are swallowed, unknown ones refused.

mount(8) resets PATH, so the real runs put a link into a tmpfs over /usr/local/sbin, which only
exists in the private mount namespace of the runner.
"""
import os
import shutil
import signal
import subprocess
import unittest

import calls
import support
from support import BINARY, ENABLED, Mount, daemons, mountinfo, new_directory

SBIN = "/usr/local/sbin"
HAS_FUSE_HELPER = shutil.which("mount.fuse") or os.path.exists("/sbin/mount.fuse")
NO_FUSE_HELPER = "no mount.fuse helper (package fuse3)"
ACCEPTED = (
    "rw", "dev,suid", "rw,dev,suid", "exec", "rw,nosuid,nodev,noexec,noatime", "defaults", "auto",
    "noauto", "nofail", "_netdev", "user", "users", "nouser", "owner", "group", "x-foo", "X-foo",
    "x-systemd.mount-timeout=10s", "x-systemd.requires=a", "X-mount.mkdir", "comment=hi",
    "comment=", "relatime", "norelatime", "noatime", "atime", "nodiratime", "diratime",
    "strictatime", "lazytime", "nolazytime", "sync", "async", "dirsync", "allow_other",
    "default_permissions", "nosuid,nodev,noexec", "silent", "loud",
    "ro,relatime,noexec,nosuid,nodev,allow_other",
    "rw,dev,suid,defaults,nofail,_netdev,x-gvfs-hide,comment=a b", "nosymfollow", "symfollow",
    "exec=recursive,nosuid=recursive,ro=vfs,rw=fs", "nousers,noowner,nogroup,user=me", "seclabel",
    'context="system_u:object_r:tmp_t:s0:c127,c456",noexec', "fscontext=a:b:c,defcontext=a:b:c",
    "rootcontext=@target", "X-mount.idmap=a,X-mount.nocanonicalize=source", "private,rshared",
)
REFUSED = ("foo=bar", "foo", "RW", "rw2", "nofails", "commen=x", "allow_others", "Defaults")
# Those among words that are accepted.
REFUSED_AMONG = ("rw,{},dev,suid", "ro,relatime,noexec,nosuid,nodev,allow_other,{}")


class Words(unittest.TestCase):
    @unittest.skipIf(support.is_sanitized(), "slow starts; the unit tests parse such words with a sanitizer")
    def test_generic_words_are_accepted(self):
        for words in ACCEPTED:
            with self.subTest(words), Mount(words, source="damon_stat") as mount:
                self.assertEqual(mount.read(), b"N\n")

    def test_unknown_words_are_refused(self):
        table = [(word, word) for word in REFUSED]
        table += [(among.format("foo=bar"), "foo=bar") for among in REFUSED_AMONG]
        for words, named in table:
            with self.subTest(words):
                mount = Mount(words, source="damon_stat")
                done = support.run_daemon(*mount.arguments())
                self.addCleanup(mount.clean)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertEqual(mountinfo(mount.path), [])
                self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
                self.assertIn(f"damon-statfs: {named}: ", done.stderr)

    def test_source_and_options_may_change_places(self):
        path, before = new_directory("mnt"), daemons()
        mount = Mount(path=path)
        words = mount.arguments()[1]
        table = (["-o", words, path], [path, "-o", words], ["source", path, "-o", words],
                 ["-o", "rw,dev,suid", "-o", words, path], ["-o" + words, "source", path],
                 ["source", "-o", words, path], ["-o", words, "--", "source", path])
        for arguments in table:
            with self.subTest(arguments):
                done = support.run_daemon(*arguments)
                mount.pids = daemons() - before
                self.addCleanup(mount.clean)
                self.assertEqual((done.returncode, len(mountinfo(path))), (0, 1), done.stderr)
                mount.stop()

    def test_ro(self):
        with Mount("ro,relatime,noexec,nosuid,nodev", enabled="Y") as mount:
            self.assertIn("ro", mountinfo(mount.path)[0][5].split(","))
            self.assertEqual(mount.read(), b"Y\n")
            self.assertEqual(calls.outcome(mount.write, b"N"), "EROFS")

    def test_dev_suid_exec_stay_off(self):
        with Mount("rw,dev,suid,exec") as mount:
            flags = set(mountinfo(mount.path)[0][5].split(","))
            self.assertLessEqual({"nosuid", "nodev"}, flags)

    def test_remount_does_not_stack(self):
        with Mount(enabled="Y") as mount:
            done = support.run_daemon("damon_stat", mount.path, "-o", "ro,remount")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(len(mountinfo(mount.path)), 1)
            self.assertEqual(daemons(), mount.pids)
            self.assertEqual(mount.read(), b"Y\n")
            flags = mountinfo(mount.path)[0][5].split(",")
            self.assertIn("ro", flags)


@unittest.skipUnless(HAS_FUSE_HELPER, NO_FUSE_HELPER)
class Mount8(unittest.TestCase):
    """The real mount(8)."""

    @classmethod
    def setUpClass(cls):
        os.makedirs(SBIN, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "none", SBIN], check=True)
        os.symlink(BINARY, os.path.join(SBIN, "damon-statfs"))

    @classmethod
    def tearDownClass(cls):
        calls.umount(SBIN, calls.MNT_DETACH)

    def setUp(self):
        self.mount, self.before = Mount(), daemons()
        self.addCleanup(self.mount.clean)
        self.words = self.mount.arguments()[1]

    def run_mount(self, *arguments):
        # util-linux 2.39 and later remounts with fsconfig(), which the kernel's FUSE refuses.
        done = subprocess.run(["mount", *arguments], stdin=subprocess.DEVNULL, timeout=10,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False,
                              env={**os.environ, "LIBMOUNT_FORCE_MOUNT2": "always"})
        self.mount.pids = daemons() - self.before
        return done.returncode, done.stderr.decode()

    def fstab(self, options):
        path = os.path.join(self.mount.root, "fstab")
        with open(path, "w") as stream:
            stream.write(f"damon_stat {self.mount.path} fuse.damon-statfs {options} 0 0\n")
        return path

    def test_mount_and_umount(self):
        for extra in ("", ",nosuid,nodev,noexec,noatime,defaults", ",allow_other,_netdev,nofail",
                      ",ro,user,x-systemd.automount,comment=hi,relatime"):
            with self.subTest(extra):
                code, text = self.run_mount("-t", "fuse.damon-statfs", "damon_stat",
                                            self.mount.path, "-o", self.words + extra)
                self.assertEqual((code, len(mountinfo(self.mount.path))), (0, 1), text)
                self.assertEqual(self.mount.read(), b"N\n")
                subprocess.run(["umount", self.mount.path], check=True, timeout=10)
                self.mount.wait_gone()

    def test_fstab_line(self):
        table = self.fstab("nofail,nosuid,nodev,noexec,x-systemd.mount-timeout=10s,enabled=Y,"
                           + self.words)
        code, text = self.run_mount("-T", table, self.mount.path)
        self.assertEqual(code, 0, text)
        self.assertEqual(self.mount.read(ENABLED), b"Y\n")
        self.mount.stop()

    def test_mount_all_twice_is_one_mount(self):
        table = self.fstab("defaults," + self.words)
        for _ in range(2):
            code, text = self.run_mount("-a", "-T", table)
            self.assertEqual((code, len(mountinfo(self.mount.path))), (0, 1), text)
        self.mount.stop()

    def test_a_dead_mount_is_replaced_by_mount_and_not_by_mount_all(self):
        """To mount -a what is in the table of mounts is mounted, dead or alive; the manual says so."""
        table = self.fstab("defaults," + self.words)
        self.run_mount("-a", "-T", table)
        self.mount.kill(signal.SIGKILL)
        self.mount.wait_gone()
        code, text = self.run_mount("-a", "-T", table)
        self.assertEqual((code, calls.outcome(self.mount.read)), (0, "ENOTCONN"), text)
        code, text = self.run_mount("-T", table, self.mount.path)
        self.assertEqual((code, len(mountinfo(self.mount.path))), (0, 1), text)
        self.assertEqual(self.mount.read(), b"N\n")
        self.mount.stop()

    def test_mount_all_twice_with_the_old_form(self):
        """PROGRAM#SOURCE and the type fuse; mount -a takes what is mounted from the table of mounts."""
        for source in ("damon-statfs#damon_stat", "damon-statfs#", os.path.join(SBIN, "damon-statfs#a")):
            table = os.path.join(self.mount.root, "fstab")
            with open(table, "w") as stream:
                stream.write(f"{source} {self.mount.path} fuse {self.words} 0 0\n")
            subprocess.run(["mount", "--bind", table, "/etc/fstab"], check=True)
            try:
                for _ in range(2):
                    code, text = self.run_mount("-a")
                    self.assertEqual((code, len(mountinfo(self.mount.path))), (0, 1), text)
            finally:
                calls.umount("/etc/fstab")
            self.assertEqual(mountinfo(self.mount.path)[0][-2].replace("\\043", "#"), source)
            self.mount.stop()

    def test_exit_codes_pass_through(self):
        code, _ = self.run_mount("-t", "fuse.damon-statfs", "x", self.mount.path, "-o",
                                 self.words + ",foo=bar")
        self.assertEqual(code, 1)
        code, _ = self.run_mount("-t", "fuse.damon-statfs", "x", self.mount.path + "/missing",
                                 "-o", self.words)
        self.assertEqual(code, 32)
        self.assertEqual(daemons(), self.before)

    def test_kernel_remount(self):
        self.run_mount("-t", "fuse.damon-statfs", "x", self.mount.path, "-o", self.words)
        for options, flag in (("remount,ro", "ro"), ("remount,rw,nodev,nosuid,noexec", "rw")):
            code, text = self.run_mount("-i", "-o", options, self.mount.path)
            self.assertEqual(code, 0, text)
            self.assertIn(flag, mountinfo(self.mount.path)[0][5].split(","))
            self.assertEqual(self.mount.read(), b"N\n")
        self.mount.stop()
