# SPDX-License-Identifier: GPL-2.0-or-later
"""ops=damon_stat: the kernel's own files shown, converted and switched through a mount.

The kernel is a directory of plain files under rootfs=, which read as what was written to them; or,
where it has to refuse and to measure, another mount of ours.
"""
import json
import os
import signal
import subprocess
import unittest

import calls
import support
from machine import MACHINE, QUICK
from snapshots import Run
from support import (AGGR, BANDWIDTH, ENABLED, FAST, IDLE, PID, Foreground, Mount, daemons, mountinfo,
                     tree, wait_equal)

DIRECTORY = "sys/module/damon_stat/parameters"
SIGNED = ",".join(str(number) for number in range(-50, 51)) + "\n"
UNSIGNED = ",".join(str(number) for number in range(101)) + "\n"
CLAMPED = ",".join(str(max(number, 0)) for number in range(-50, 51)) + "\n"
KDAMOND = "57 (kdamond.0) S 2 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 57 0 0\n"


def kernel(version, enabled="N\n"):
    """A directory that holds the files of DAMON_STAT of that Linux."""
    files = {ENABLED: enabled, BANDWIDTH: "12345678901\n", IDLE: UNSIGNED}
    if version >= "6.18":
        files.update({IDLE: SIGNED, AGGR: "200000\n"})
    if version >= "7.2":
        files.update({PID: "321\n" if enabled == "Y\n" else "-1\n"})
    return tree({"proc/57/stat": KDAMOND,
                 **{f"{DIRECTORY}/{name}": text for name, text in files.items()}})


def put(root, path, text):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as stream:
        stream.write(text)


def get(root, name=ENABLED):
    with open(os.path.join(root, DIRECTORY, name), encoding="ascii") as stream:
        return stream.read()


class Values(unittest.TestCase):
    def test_every_kernel_in_every_abi(self):
        for version in ("6.17", "6.18", "7.2"):
            for abi in ("6.17", "6.18", "7.2"):
                root = kernel(version, "Y\n")
                with self.subTest(kernel=version, abi=abi), \
                        Mount(ops="damon_stat", rootfs=root, abi=abi) as mount:
                    idle = UNSIGNED if version == "6.17" else SIGNED
                    if abi == "6.17" and version != "6.17":
                        idle = CLAMPED
                    self.assertEqual(mount.read(), b"Y\n")
                    self.assertEqual(mount.read(IDLE), idle.encode())
                    self.assertEqual(mount.value(BANDWIDTH), 12345678901)
                    if abi >= "6.18":
                        self.assertEqual(mount.value(AGGR), 0 if version == "6.17" else 200000)
                    if abi >= "7.2":
                        self.assertEqual(mount.value(PID), 321 if version == "7.2" else 57)

    def test_the_state_at_mount(self):
        for state in ("Y\n", "N\n"):
            for words in ({}, {"enabled": "N"}):
                root = kernel("7.2", state)
                with self.subTest(state, **words), \
                        Mount(ops="damon_stat", rootfs=root, **words) as mount:
                    self.assertEqual(mount.read(), state.encode())
                    self.assertEqual(get(root), state)

    def test_enabled_y_is_handed_on(self):
        for state in ("Y\n", "N\n"):
            root = kernel("6.18", state)
            with self.subTest(state), \
                    Mount(ops="damon_stat", rootfs=root, enabled="Y") as mount:
                self.assertEqual(mount.read(), b"Y\n")
                self.assertTrue(get(root).startswith("Y"))

    def test_somebody_else_changes_it(self):
        root = kernel("7.2")
        with Mount(ops="damon_stat", rootfs=root, abi="7.2") as mount:
            put(root, f"{DIRECTORY}/{PID}", "99\n")
            put(root, f"{DIRECTORY}/{ENABLED}", "Y\n")
            wait_equal(lambda: (mount.read(), mount.value(PID)), (b"Y\n", 99))
            put(root, f"{DIRECTORY}/{BANDWIDTH}", "1\n")
            wait_equal(lambda: mount.value(BANDWIDTH), 1)
            put(root, f"{DIRECTORY}/{ENABLED}", "N\n")
            wait_equal(lambda: (mount.read(), mount.value(PID)), (b"N\n", -1))

    def test_garbage_keeps_the_value(self):
        root = kernel("7.2")
        with Mount(ops="damon_stat", rootfs=root) as mount:
            put(root, f"{DIRECTORY}/{IDLE}", "garbage\n")
            put(root, f"{DIRECTORY}/{BANDWIDTH}", "2\n")
            wait_equal(lambda: mount.value(BANDWIDTH), 2)
            self.assertEqual(mount.read(IDLE), CLAMPED.encode())


class Writes(unittest.TestCase):
    def test_a_write_lands_in_the_kernel(self):
        root = kernel("6.18")
        with Mount(ops="damon_stat", rootfs=root) as mount:
            for word, state in ((b"Y\n", "Y"), (b"1", "Y"), (b"off", "N"), (b"on", "Y")):
                mount.write(word)
                self.assertEqual(get(root).strip(), state)
                self.assertEqual(mount.read(), state.encode() + b"\n")  # the writer's own change, at once
            self.assertEqual(calls.outcome(mount.write, b"2"), "EINVAL")
            self.assertEqual(get(root).strip(), "Y")

    def test_the_end_changes_nothing(self):
        for number in (None, signal.SIGTERM, signal.SIGKILL):
            for state in ("Y\n", "N\n"):
                root = kernel("7.2", state)
                with self.subTest(number, state=state):
                    mount = Mount(ops="damon_stat", rootfs=root).__enter__()
                    if number:
                        mount.kill(number)
                        mount.wait_gone()
                    else:
                        mount.stop()
                    mount.clean()
                    self.assertEqual(get(root), state)

    def test_a_refused_write(self):
        """The file is on a read-only mount: the kernel's errno comes back."""
        root = kernel("7.2")
        path = os.path.join(root, DIRECTORY, ENABLED)
        subprocess.run(["mount", "--bind", path, path], check=True)
        self.addCleanup(calls.umount, path, calls.MNT_DETACH)
        subprocess.run(["mount", "-o", "remount,bind,ro", path], check=True)
        with Mount(ops="damon_stat", rootfs=root) as mount:
            for word in (b"Y", b"N"):  # also of the value that it has
                self.assertEqual(calls.outcome(mount.write, word), "EROFS")
                self.assertEqual(mount.read(), b"N\n")

    def test_it_goes_and_comes_back(self):
        root = kernel("7.2", "Y\n")
        directory = os.path.join(root, DIRECTORY)
        with Mount(ops="damon_stat", rootfs=root, abi="7.2") as mount:
            os.rename(directory, directory + ".away")
            wait_equal(mount.read, b"N\n")
            self.assertEqual((mount.read(IDLE), mount.value(PID)), (SIGNED.encode(), -1))
            self.assertEqual(calls.outcome(mount.write, b"Y"), "ENODEV")
            self.assertEqual(calls.outcome(mount.write, b"N"), "ok")
            os.rename(directory + ".away", directory)
            mount.write(b"Y")
            self.assertEqual(mount.read(), b"Y\n")


class OverAnotherMount(unittest.TestCase):
    """A kernel's place taken by a daemon, which measures, refuses, and has no final word."""

    def setUp(self):
        self.root = kernel("7.2")
        self.directory = os.path.join(self.root, DIRECTORY)

    def test_everything_is_as_in_the_original(self):
        with Mount(**FAST, abi="7.2", path=self.directory) as original, \
                Mount(ops="damon_stat", rootfs=self.root, abi="7.2") as mount:
            mount.write(b"Y")
            self.assertEqual(original.read(), b"Y\n")
            self.assertEqual(mount.value(PID), original.value(PID))
            mount.wait_snapshot()
            original.write(b"N")
            wait_equal(mount.read, b"N\n")
            for name in (IDLE, BANDWIDTH, AGGR, PID):
                wait_equal(lambda file=name: mount.read(file), original.read(name), what=name)

    def test_its_errno(self):
        with Mount(ops="page_idle", path=self.directory), \
                Mount(ops="damon_stat", rootfs=self.root) as mount:
            self.assertEqual(calls.outcome(mount.write, b"Y"), "ENODEV")
            self.assertEqual(calls.outcome(mount.write, b"N"), "ok")
            refused = Mount(ops="damon_stat", rootfs=self.root, enabled="Y")
            self.addCleanup(refused.clean)
            done = support.run_daemon(*refused.arguments())
            self.assertEqual((done.returncode, mountinfo(refused.path)), (32, []), done.stderr)
            self.assertIn(f"/{DIRECTORY}/{ENABLED}: No such device", done.stderr)


class Selection(unittest.TestCase):
    def test_auto_picks_it_first(self):
        for state in ("Y\n", "N\n"):
            root = kernel("7.2", state)
            with self.subTest(state), Mount(ops="auto", rootfs=root) as mount:
                self.assertEqual(mount.read(), state.encode())
                mount.write(b"Y")
                self.assertTrue(get(root).startswith("Y"))

    def test_auto_without_it(self):
        with Mount(ops="auto", rootfs=tree({})) as mount:
            self.assertEqual((mount.read(), mount.start.stderr.count("\n")), (b"N\n", 1))

    def test_the_log(self):
        with Foreground(ops="damon_stat", rootfs=kernel("7.2")) as mount:
            mount.write(b"Y")
            mount.write(b"N")
            calls.umount(mount.path)
            self.assertEqual(mount.process.wait(support.STOP_SECONDS), 0)
        text = mount.log()
        said = f"mirroring the kernel's DAMON_STAT at /{DIRECTORY} (off)"
        self.assertEqual(text.count(said), 1, text)
        self.assertEqual((text.count("handed Y on"), text.count("handed N on")), (1, 1), text)

    def test_a_kernel_without_it(self):
        root = tree({"sys/kernel/uevent_seqnum": "1"})
        with Mount(ops="damon_stat", rootfs=root, abi="7.2") as mount:
            self.assertIn(f"/{DIRECTORY}/{ENABLED}", mount.start.stderr)
            for _ in range(3):
                self.assertEqual(calls.outcome(mount.write, b"Y"), "ENODEV")
                self.assertEqual((mount.read(), mount.read(PID)), (b"N\n", b"-1\n"))
                self.assertEqual(calls.outcome(mount.write, b"N"), "ok")
        mount = Mount(ops="damon_stat", rootfs=root, enabled="Y")
        self.addCleanup(mount.clean)
        done = support.run_daemon(*mount.arguments())
        self.assertEqual((done.returncode, mountinfo(mount.path)), (32, []), done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        for part in (f"/{DIRECTORY}/{ENABLED}", "6.17", "CONFIG_DAMON_STAT"):
            self.assertIn(part, done.stderr)
        self.assertEqual(daemons(), set())

    def test_not_over_itself(self):
        for ops in ("damon_stat", "auto"):
            root = kernel("7.2")
            mount = Mount(ops=ops, rootfs=root, path=os.path.join(root, DIRECTORY))
            self.addCleanup(mount.clean)
            done = support.run_daemon(*mount.arguments())
            self.assertEqual((done.returncode, mountinfo(mount.path)), (32, []), done.stderr)
            self.assertIn(f"{mount.path}: ops={ops} mirrors this directory", done.stderr)

    def test_a_mount_in_its_place_is_not_the_kernel(self):
        """A daemon mounted where kernels have these files neither warns of itself nor mirrors itself."""
        root = kernel("7.2")
        for name in os.listdir(os.path.join(root, "proc")):
            os.remove(os.path.join(root, "proc", name, "stat"))
        for name, data in MACHINE.items():
            os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
            with open(os.path.join(root, name), "wb") as stream:
                stream.write(data if isinstance(data, bytes) else data.encode())
        with Foreground(ops="page_idle", rootfs=root, path=os.path.join(root, DIRECTORY),
                        **QUICK, update_us=50000) as mount:
            Run(mount).wait_idle(200)
            probed = json.loads(support.run_daemon("--probe=json", "-o", "rootfs=" + root).stdout)
            reasons = {found["set"]: found["reason"] for found in probed["sets"]}
            self.assertEqual(reasons["damon_stat"], f"/{DIRECTORY}: a mount shows it, not the kernel")
            self.assertNotIn("damon_stat", reasons["page_idle"])
            mount.write(b"N")
            self.assertNotRegex(mount.log(), "unreliable|is running")

    def test_probe(self):
        for root, auto, uses, reason in (
                (kernel("7.2", "Y\n"), "damon_stat", f"at /{DIRECTORY} (on)", None),
                (kernel("6.17"), "damon_stat", f"at /{DIRECTORY} (off)", None),
                (tree({}), None, None, f"/{DIRECTORY}/{ENABLED}")):
            done = support.run_daemon("--probe=json", "-o", "rootfs=" + root)
            answer = json.loads(done.stdout)
            first = answer["sets"][0]
            self.assertEqual((first["set"], answer["auto"]), ("damon_stat", auto))
            for said, part in ((first["uses"], uses), (first["reason"], reason)):
                if part is None:
                    self.assertIsNone(said)
                else:
                    self.assertIn(part, said)
