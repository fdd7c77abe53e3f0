# SPDX-License-Identifier: GPL-2.0-or-later
"""Files of the kernel that were given to a monitoring user, or that a container may only read.

Each test has a mount namespace of its own, in which DAMON_STAT's directory, or all of /sys below rootfs=, is a
tmpfs; so the daemon finds the files where they are on a machine, and none of this machine's is touched.
"""
import ctypes
import json
import os
import re
import subprocess
import unittest

import calls
import support
from machine import BITMAP, FLAGS, IOMEM, RAM
from support import AGGR, BANDWIDTH, ENABLED, IDLE, NOBODY, PID, Mount, daemons, tree, wait_equal
from test_privileges import DAC_OVERRIDE, SYS_ADMIN, fields

CLONE_NEWNS = 0x00020000
PARAMETERS = "/sys/module/damon_stat/parameters"
TEXTS = {ENABLED: "Y\n", BANDWIDTH: "123456789\n", AGGR: "100000\n", PID: "42\n",
         IDLE: ",".join(str(number) for number in range(-50, 51)) + "\n"}
ADMIN = "sys/kernel/mm/damon/admin/kdamonds/nr_kdamonds"
STAT = PARAMETERS[1:]


def in_namespace(call, *arguments):
    """What call returns in a child with a mount namespace of its own."""
    def run():
        calls.checked(calls.libc.unshare(ctypes.c_int(CLONE_NEWNS)))
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
        return call(*arguments)
    return calls.in_child(run)


def make_parameters():
    """DAMON_STAT's files in a tmpfs over /sys/module, with the kernel's modes."""
    subprocess.run(["mount", "-t", "tmpfs", "none", "/sys/module"], check=True)
    os.makedirs(PARAMETERS)
    for name, text in TEXTS.items():
        with open(os.path.join(PARAMETERS, name), "w", encoding="ascii") as stream:
            stream.write(text)
        os.chmod(os.path.join(PARAMETERS, name), 0o600 if name == ENABLED else 0o400)


def give(names, group=False):
    for name in names:
        path = os.path.join(PARAMETERS, name)
        os.chown(path, 0 if group else NOBODY, NOBODY)
        if group:
            os.chmod(path, os.stat(path).st_mode | 0o040)


def shown(given, late=(), group=False):
    """What a mirror shows when these files are not root's, and what became of a write; `late`: of files given
    away while it runs."""
    make_parameters()
    give(given, group)
    mount = Mount(ops="damon_stat", abi="7.2")
    del mount.options["rootfs"]
    with mount:
        texts = {name: mount.read(name).decode() for name in (ENABLED, BANDWIDTH, AGGR, PID, IDLE)}
        kept = int(fields(mount.pid)["CapEff"], 16)
        give(late)
        written = calls.outcome(mount.write, b"N")
        if late:
            wait_equal(lambda: "last_error: " in support.run_daemon("--status", mount.path).stdout, True)
        status = support.run_daemon("--status", mount.path).stdout
        mount.kill(15)
        mount.wait_gone()
    return texts, kept, written, status


class GivenAway(unittest.TestCase):
    def test_a_mirror_shows_what_the_kernel_says(self):
        for given in ([], [BANDWIDTH, IDLE], list(TEXTS)):
            with self.subTest(given):
                texts, kept, written, status = in_namespace(shown, given)
                self.assertEqual(texts, TEXTS)
                self.assertEqual(written, "ok")
                self.assertEqual(kept, SYS_ADMIN | (DAC_OVERRIDE if given else 0))
                self.assertNotIn("last_error", status)

    def test_a_group_needs_no_capability(self):
        texts, kept, _, _ = in_namespace(shown, list(TEXTS), (), True)
        self.assertEqual((texts, kept), (TEXTS, SYS_ADMIN))

    def test_of_other_sets_too(self):
        """The daemon is never switched on, so that it only checks who may open the file."""
        def kept(path, owner):
            subprocess.run(["mount", "-t", "tmpfs", "none", "/sys/kernel/mm"], check=True)
            os.makedirs(os.path.dirname(path))
            with open(path, "w", encoding="ascii"):
                os.chmod(path, 0o600)
                os.chown(path, owner, owner)
            mount = Mount(ops="page_idle")
            del mount.options["rootfs"]
            with mount:
                return int(fields(mount.pid)["CapEff"], 16)
        for path in ("/" + BITMAP, "/" + ADMIN):
            for owner, extra in ((0, 0), (NOBODY, DAC_OVERRIDE)):
                with self.subTest(path, owner=owner):
                    self.assertEqual(in_namespace(kept, path, owner), SYS_ADMIN | extra)

    def test_what_is_given_away_later_is_said(self):
        texts, kept, _, status = in_namespace(shown, [], [BANDWIDTH])
        self.assertEqual((texts, kept), (TEXTS, SYS_ADMIN))
        self.assertRegex(status, f"(?m)^last_error: {PARAMETERS}/{BANDWIDTH}: Permission denied "
                         r"\(it is not root's, and this process has no CAP_DAC_OVERRIDE\)")

    def test_the_probe_of_somebody_who_may_not(self):
        def probe():
            make_parameters()
            give([BANDWIDTH])
            return subprocess.run(["setpriv", "--bounding-set", "-dac_override,-dac_read_search", support.BINARY,
                                   "--probe=json"], stdout=subprocess.PIPE, check=True, text=True).stdout
        row = json.loads(in_namespace(probe))["sets"][0]
        self.assertEqual((row["set"], row["usable"], row["errno"]), ("damon_stat", False, "EACCES"))
        self.assertIn(f"{PARAMETERS}/{BANDWIDTH}: Permission denied", row["reason"])


class ReadOnly(unittest.TestCase):
    FILES = {IOMEM: RAM, FLAGS: bytes(32768), "proc/sys/kernel/random/boot_id": "b\n"}
    SYS = {ADMIN: "0\n", BITMAP: bytes(512)}

    def machine(self, files):
        """A machine whose /sys is read-only, as a container's."""
        root = tree({**self.FILES, **files})
        sys = os.path.join(root, "sys")
        subprocess.run(["mount", "--bind", sys, sys], check=True)
        self.addCleanup(calls.umount, sys, calls.MNT_DETACH)
        subprocess.run(["mount", "-o", "remount,bind,ro", sys], check=True)
        return root

    def test_usable_means_writable(self):
        for enabled in (None, "N\n", "Y\n"):
            stat = {f"{STAT}/{name}": text for name, text in TEXTS.items()} if enabled else {}
            root = self.machine({**self.SYS, **stat, **({f"{STAT}/{ENABLED}": enabled} if enabled else {})})
            with self.subTest(enabled):
                answer = json.loads(support.run_daemon("--probe=json", "-o", "rootfs=" + root).stdout)
                sets = {row["set"]: row for row in answer["sets"]}
                self.assertIsNone(answer["auto"])
                for name in ("damon_stat", "kdamond", "page_idle") if enabled else ("kdamond", "page_idle"):
                    self.assertEqual((sets[name]["usable"], sets[name]["errno"]), (False, "EROFS"))
                    self.assertIn("Read-only file system", sets[name]["reason"])
                self.assertIn("fail with EACCES", support.run_daemon("--probe", "-o", "rootfs=" + root).stdout)

    def test_auto_says_the_same_as_the_probe(self):
        mount = Mount(ops="auto", rootfs=self.machine(self.SYS), enabled="Y")
        self.addCleanup(mount.clean)
        done = support.run_daemon(*mount.arguments())
        self.assertEqual((done.returncode, daemons()), (32, set()), done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        self.assertTrue(re.search("no operations set is usable; .*kdamond: /.*nr_kdamonds: Read-only file system",
                                  done.stderr), done.stderr)

    def test_without_the_switch_the_values_can_be_seen(self):
        root = self.machine({f"{STAT}/{name}": text for name, text in TEXTS.items()})
        with Mount(ops="damon_stat", rootfs=root, abi="7.2") as mount:
            self.assertEqual({name: mount.read(name).decode() for name in TEXTS}, TEXTS)
            self.assertEqual(calls.outcome(mount.write, b"N"), "EROFS")
