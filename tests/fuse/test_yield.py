# SPDX-License-Identifier: GPL-2.0-or-later
"""damon_stat=yield on a machine made of plain files: who switches DAMON_STAT off and on, and who must not."""
import json
import os
import signal
import unittest

import calls
import support
from machine import MACHINE, QUICK
from support import Foreground, Mount, new_directory, tree, wait_equal

SWITCH = "sys/module/damon_stat/parameters/enabled"
RECLAIM = "sys/module/damon_reclaim/parameters/enabled"
RECORD = "run/damon-statfs/damon_stat"
BOOT = {"proc/sys/kernel/random/boot_id": "this-boot\n"}
YIELD = {"ops": "page_idle", "damon_stat": "yield", **QUICK}


def machine(state):
    """DAMON_STAT is on (Y) or off (N), for root alone as in the kernel."""
    root = tree({**MACHINE, **BOOT, SWITCH: state + "\n"})
    os.chmod(os.path.join(root, SWITCH), 0o600)
    return root


def text(root, path):
    with open(os.path.join(root, path), encoding="ascii") as stream:
        return stream.read().strip()


class Yield(unittest.TestCase):
    def test_off_while_monitoring_is_on(self):
        root = machine("Y")
        with Mount(rootfs=root, **YIELD) as mount:
            self.assertEqual(text(root, SWITCH), "Y")
            for _ in range(2):
                mount.write(b"Y")
                self.assertEqual((mount.read(), text(root, SWITCH)), (b"Y\n", "N"))
                self.assertTrue(text(root, RECORD).startswith("this-boot "))
                mount.write(b"N")
                self.assertEqual((mount.read(), text(root, SWITCH)), (b"N\n", "Y"))
                self.assertEqual(text(root, RECORD), "")
            mount.write(b"Y")
        self.assertEqual(text(root, SWITCH), "Y")

    def test_every_end_that_is_no_crash_gives_it_back(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(number.name):
                root = machine("Y")
                with Foreground(rootfs=root, enabled="Y", **YIELD) as mount:
                    self.assertEqual(text(root, SWITCH), "N")
                    status, log = mount.end(number)
                self.assertEqual((status, text(root, SWITCH)), (0, "Y"))
                self.assertIn("switched the kernel's DAMON_STAT off", log)
                self.assertIn("DAMON_STAT is on again", log)

    def test_the_next_start_gives_it_back_after_a_crash(self):
        for options in YIELD, {"ops": "page_idle"}, {"ops": "observe"}:
            with self.subTest(options["ops"]):
                root = machine("Y")
                with Mount(rootfs=root, enabled="Y", **YIELD) as killed:
                    killed.kill(signal.SIGKILL)
                    killed.wait_gone()
                    self.assertEqual(text(root, SWITCH), "N")
                    with Mount(rootfs=root, **options):
                        self.assertEqual((text(root, SWITCH), text(root, RECORD)), ("Y", ""))

    def test_off_before_is_off_afterwards(self):
        root = machine("N")
        with Mount(rootfs=root, enabled="Y", **YIELD) as killed:
            self.assertEqual(killed.read(), b"Y\n")
            killed.kill(signal.SIGKILL)
            killed.wait_gone()
            with Mount(rootfs=root, enabled="Y", **YIELD) as mount:
                self.assertEqual(mount.read(), b"Y\n")
        self.assertEqual(text(root, SWITCH), "N")
        self.assertFalse(os.path.exists(os.path.join(root, RECORD)))

    def test_the_default_keeps_it_and_names_the_option(self):
        for options in {}, {"damon_stat": "keep"}:
            root = machine("Y")
            with Foreground(ops="page_idle", rootfs=root, **options) as mount:
                self.assertEqual(calls.outcome(mount.write, b"Y"), "EBUSY")
                self.assertEqual(text(root, SWITCH), "Y")
                self.assertIn("damon_stat=yield switches off", mount.log())

    def test_a_start_that_fails_changes_nothing(self):
        root = tree({**MACHINE, SWITCH: "Y\n", RECLAIM: "Y\n"})
        with Mount(rootfs=root, **YIELD) as mount:
            self.assertEqual(calls.outcome(mount.write, b"Y"), "EBUSY")
            self.assertEqual(text(root, SWITCH), "Y")

    def test_auto_takes_another_set_than_damon_stat(self):
        for option, taken in ("keep", "damon_stat"), ("yield", "page_idle"):
            root = machine("Y")
            with Mount(ops="auto", rootfs=root, enabled="Y", damon_stat=option, abi="7.2") as mount:
                status = support.run_daemon("--status", mount.path).stdout
                self.assertIn(f"operations_set: {taken}\n", status)
                self.assertEqual(text(root, SWITCH), "N" if option == "yield" else "Y")
            self.assertEqual(text(root, SWITCH), "Y")


class Probe(unittest.TestCase):
    def probe(self, root, *words):
        done = support.run_daemon("--probe=json", "-o", ",".join((f"rootfs={root}", *words)))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        answer = json.loads(done.stdout)
        return answer["auto"], {row["set"]: row for row in answer["sets"]}

    def test_what_the_option_would_change(self):
        root = machine("Y")
        auto, sets = self.probe(root)
        self.assertEqual((auto, sets["page_idle"]["errno"]), ("damon_stat", "EBUSY"))
        self.assertIn("which damon_stat=yield switches off", sets["page_idle"]["reason"])
        auto, sets = self.probe(root, "damon_stat=yield")
        self.assertEqual(auto, "page_idle")
        self.assertIn("DAMON_STAT off meanwhile", sets["page_idle"]["uses"])
        self.assertFalse(sets["damon_stat"]["usable"])
        self.assertEqual(text(root, SWITCH), "Y")
        self.assertFalse(os.path.exists(os.path.join(root, "run")))

    def test_nothing_is_said_where_it_would_change_nothing(self):
        _, sets = self.probe(machine("N"), "damon_stat=yield")
        self.assertNotIn("DAMON_STAT", sets["page_idle"]["uses"])
        root = tree({**MACHINE, SWITCH: "Y\n", RECLAIM: "Y\n"})
        for words in (), ("damon_stat=yield",):
            self.assertNotIn("yield", self.probe(root, *words)[1]["page_idle"]["reason"])


class Refusals(unittest.TestCase):
    def test_sets_that_do_not_yield(self):
        for words in ("ops=damon_stat", "ops=observe", "ops=sim,sim=4M@1s"):
            done = support.run_daemon("-o", f"{words},damon_stat=yield", new_directory())
            self.assertEqual(done.returncode, 1)
            ops = words.split(",")[0]
            self.assertRegex(done.stderr, rf"\Adamon-statfs: damon_stat=yield: .* not with {ops}\n\Z")

    def test_it_cannot_change_while_it_is_mounted(self):
        with Mount(ops="page_idle", rootfs=machine("Y")) as mount:
            done = support.run_daemon("-o", "remount,damon_stat=yield", "none", mount.path)
            self.assertEqual(done.returncode, 32)
            self.assertIn("damon_stat=yield: cannot change while it is mounted", done.stderr)
            done = support.run_daemon("-o", "remount,damon_stat=keep", "none", mount.path)
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_the_mount_must_not_hide_the_switch(self):
        for option, status in ("yield", 32), ("keep", 0):
            root = machine("N")
            mount = Mount(path=os.path.join(root, os.path.dirname(SWITCH)), ops="page_idle", rootfs=root,
                          damon_stat=option)
            self.addCleanup(mount.clean)
            mount.begin()
            self.assertEqual(mount.start.returncode, status, mount.start.stderr)
            if status:
                self.assertIn("damon_stat=yield writes to this directory", mount.start.stderr)
            else:
                wait_equal(mount.read, b"N\n", what="the state")
