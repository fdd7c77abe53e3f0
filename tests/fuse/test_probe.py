# SPDX-License-Identifier: GPL-2.0-or-later
"""--probe and --probe=json: the truth about a machine made of files, and not a byte of it changed."""
import json
import os
import re
import unittest

import calls
import support
from machine import BITMAP, FLAGS, HIDDEN, IOMEM, LRU, MACHINE, PAGES, RAM
from support import Mount, tree

RECLAIM = "sys/module/damon_reclaim/parameters/enabled"


def without_roots(text):
    """The text without the names of the trees in it, of which each run has another."""
    return re.sub(r"/[^ ]*?/root\.[^/]*", "ROOT", text)


def listing(root):
    """Every path below root with its inode, times of change, and content."""
    found = {}
    for directory, _, names in os.walk(root):
        for path in (directory, *(os.path.join(directory, name) for name in names)):
            status = os.stat(path)
            content = None
            if path != directory:
                with open(path, "rb") as stream:
                    content = stream.read()
            found[path] = (status.st_ino, status.st_mtime_ns, status.st_ctime_ns, content)
    return found


class ProbeCase(unittest.TestCase):
    maxDiff = 4000

    def run_probe(self, flag, root, *options):
        done = support.run_daemon(flag, "-o", ",".join(("rootfs=" + root, *options)))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def sets(self, files, *options):
        """What --probe=json says: the choice of auto, and the sets by name."""
        answer = json.loads(self.run_probe("--probe=json", tree(files), *options))
        self.assertEqual(list(answer), ["auto", "sets"])
        sets = {}
        for row in answer["sets"]:
            self.assertEqual(list(row), ["set", "usable", "estimator", "uses", "reason", "errno"])
            self.assertEqual(row["usable"], row["uses"] is not None)
            self.assertEqual(row["usable"], row["reason"] is None and row["errno"] is None)
            sets[row["set"]] = row
        self.assertEqual(len(sets), len(answer["sets"]))
        return answer["auto"], sets


class Probe(ProbeCase):
    def page_idle(self, files):
        auto, sets = self.sets(files)
        self.assertIsNone(auto)
        self.assertFalse(sets["page_idle"]["usable"])
        return sets["page_idle"]["errno"], sets["page_idle"]["reason"]

    def test_no_page_idle(self):
        for files in {}, {IOMEM: RAM, FLAGS: LRU * PAGES}:
            errno, reason = self.page_idle({**files, "sys/kernel/uevent_seqnum": "1"})
            self.assertEqual(errno, "ENODEV")
            self.assertIn("/" + BITMAP, reason)
            self.assertIn("CONFIG_IDLE_PAGE_TRACKING", reason)

    def test_without_sys(self):
        """A kernel is not to blame for files that are not mounted."""
        for files in {}, {IOMEM: RAM, FLAGS: LRU * PAGES}:
            _, sets = self.sets(files)
            for name in ("damon_stat", "kdamond", "page_idle"):
                self.assertEqual(sets[name]["errno"], "ENODEV")
                self.assertRegex(sets[name]["reason"], "^/.*/sys/.*: missing; /sys is not mounted$|"
                                 "^/sys/.*: missing; /sys is not mounted$")

    def test_estimator_counts(self):
        """What a mount with the same options would do."""
        files = {**MACHINE, "sys/module/damon_stat/parameters/enabled": "N\n"}
        for estimator, auto, of_pages in (("auto", "damon_stat", "pages"), ("pages", "page_idle", "pages"),
                                          ("regions", "damon_stat", "regions")):
            with self.subTest(estimator):
                chosen, sets = self.sets(files, "estimator=" + estimator)
                self.assertEqual((chosen, sets["page_idle"]["estimator"]), (auto, of_pages))
                with Mount(ops="auto", rootfs=tree(files), estimator=estimator, enabled="Y") as mount:
                    status = support.run_daemon("--status", mount.path).stdout
                    self.assertIn(f"operations_set: {auto}\n", status)

    def test_a_relative_rootfs_is_the_same_for_the_mount(self):
        parent, name = os.path.split(tree(MACHINE))
        probed = support.run_daemon("--probe", "-o", "rootfs=" + name, cwd=parent)
        self.assertIn(f"page_idleyespages{parent}/{name}/{BITMAP}", "".join(probed.stdout.split()))
        for options in ({"ops": "auto", "enabled": "Y"}, {"ops": "page_idle"}):
            mount = Mount(rootfs=name, **options)
            self.addCleanup(mount.clean)
            before = support.daemons()
            done = support.run_daemon(*mount.arguments(), cwd=parent)
            mount.pids = support.daemons() - before
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(calls.outcome(mount.write, b"Y"), "ok")
            mount.stop()

    def test_hidden_iomem(self):
        errno, reason = self.page_idle({**MACHINE, IOMEM: HIDDEN})
        self.assertEqual(errno, "EACCES")
        self.assertIn("/proc/iomem", reason)

    def test_beside_a_kdamond(self):
        errno, reason = self.page_idle({**MACHINE, RECLAIM: "Y\n"})
        self.assertEqual(errno, "EBUSY")
        self.assertIn("damon_reclaim", reason)

    def test_beside_another_daemon(self):
        with Mount(ops="page_idle", rootfs=tree(MACHINE)) as mount:
            self.assertEqual(calls.outcome(mount.write, b"Y"), "ok")
            self.assertIn("EBUSY", self.run_probe("--probe", mount.root))
            self.assertEqual(mount.read(), b"Y\n")

    def test_usable(self):
        auto, sets = self.sets(MACHINE)
        self.assertEqual(auto, "page_idle")
        self.assertIn("/" + BITMAP, sets["page_idle"]["uses"])
        self.assertIn("16 MiB", sets["page_idle"]["uses"])

    def test_sim_is_usable_but_not_for_auto(self):
        auto, sets = self.sets({}, "sim=3M@1s+1M@never")
        self.assertIsNone(auto)
        self.assertEqual(sets["sim"]["uses"], "simulated memory, 4 MiB")

    def test_options_count_in_any_order(self):
        root = tree(MACHINE)
        for arguments in (["--probe", "-o", f"rootfs={root},kdamond=1,max_cpu=5"],
                          ["-o", "rootfs=" + root, "--probe"],
                          ["-o", "ram=0-8M", "--probe", "-o", f"rootfs={root},ops=sim"]):
            with self.subTest(arguments):
                done = support.run_daemon(*arguments)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertEqual(done.stdout.splitlines()[-1], "ops=auto would choose page_idle")
                self.assertIn("8 MiB" if "ram=0-8M" in arguments else "16 MiB", done.stdout)

    def test_nothing_is_changed(self):
        for files in {}, MACHINE, {**MACHINE, RECLAIM: "Y\n"}:
            root = tree(files)
            before = listing(root)
            for flag in "--probe", "--probe=json":
                self.run_probe(flag, root)
                self.assertEqual(listing(root), before)


class Table(ProbeCase):
    def rows(self, files):
        """The lines of the table, and the last sentence behind it in one line."""
        table, below = self.run_probe("--probe", tree(files)).split("\n\n")
        self.assertLessEqual(max(map(len, [*table.splitlines(), *below.splitlines()])), 80)
        estimator, choice = below.replace("\n  ", " ").splitlines()
        self.assertRegex(estimator, r"\Aestimator=auto takes pages where .* else regions\Z")
        return table.splitlines(), choice

    def test_columns_are_aligned(self):
        for files in {}, MACHINE:
            (header, *lines), _ = self.rows(files)
            self.assertRegex(header, r"\ASET +USABLE +ESTIMATOR +USES, OR WHY NOT\Z")
            columns = [header.index(name) for name in ("USABLE", "ESTIMATOR", "USES")]
            for line in lines:
                self.assertNotEqual(line[columns[-1]], " ", line)
                if line.startswith(" "):  # a line that goes on
                    self.assertEqual(line[:columns[-1]].strip(), "")
                    continue
                for column in columns:
                    self.assertEqual(line[column - 2:column], "  ", line)
                    self.assertNotEqual(line[column], " ", line)

    def test_a_row_per_set_as_in_json(self):
        _, sets = self.sets(MACHINE)
        (header, *lines), _ = self.rows(MACHINE)
        column = header.index("USES")
        texts, name = {}, None
        for line in lines:
            if line[0] != " ":
                name = line.split()[0]
                self.assertEqual(line.split()[1] == "yes", sets[name]["usable"])
            texts[name] = texts.get(name, "") + line[column:]
        self.assertEqual(list(texts), list(sets))
        for name, row in sets.items():
            said = (row["uses"] or row["reason"]).replace(" ", "")
            self.assertEqual(without_roots(texts[name].replace(" ", "")), without_roots(said))

    def test_last_line(self):
        for files, line in (
                (MACHINE, r"ops=auto would choose page_idle"),
                ({}, r"ops=auto would choose nothing and fail with ENODEV \(No such device\).*"),
                ({**MACHINE, RECLAIM: "Y\n"}, r"ops=auto would choose nothing .* EBUSY .*"),
                ({**MACHINE, IOMEM: HIDDEN}, r"ops=auto would choose nothing .* EACCES .*")):
            self.assertRegex(self.rows(files)[1], rf"\A{line}\Z")
