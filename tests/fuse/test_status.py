# SPDX-License-Identifier: GPL-2.0-or-later
"""damon-statfs --status and the ioctl behind it: who may ask, what is answered, what is not ours.

The directory has no file for it, so every other ioctl and every other file stays as sysfs has it.
"""
import fcntl
import json
import os
import signal
import unittest

import calls
import support
from support import (AGGR, ENABLED, FILES, IDLE, NOBODY, Mount, MountCase, new_directory, run_daemon,
                     wait_for)
from test_damon_stat import kernel

SIZE = 15360
GET_STATUS = 2 << 30 | SIZE << 16 | 0xDA << 8 | 1


def ask(descriptor, request=GET_STATUS):
    return fcntl.ioctl(descriptor, request, bytearray(SIZE), True)


def status_of(descriptor):
    """What the ioctl answers."""
    buffer = bytearray(b"x" * SIZE)
    fcntl.ioctl(descriptor, GET_STATUS, buffer, True)
    return json.loads(buffer[:buffer.index(0)])


def status_of_mount(mount):
    """What the ioctl answers for this mount."""
    descriptor = mount.open(IDLE)
    try:
        return status_of(descriptor)
    finally:
        os.close(descriptor)


class Ioctl(MountCase):
    options = {"abi": "7.2"}

    def test_answers_json(self):
        status = status_of(self.opened(IDLE))
        self.assertEqual((status["state"], status["pid"], status["mountpoint"]),
                         ("off", self.mount.pid, self.mount.path))
        self.assertEqual(status["operations_set"], "sim")

    def test_no_other_file_and_no_other_number(self):
        for name in FILES["7.2"]:
            if name != IDLE:
                self.assertEqual(calls.outcome(ask, self.opened(name)), "ENOTTY")
        directory = os.open(self.mount.path, os.O_RDONLY)
        self.addCleanup(os.close, directory)
        self.assertEqual(calls.outcome(ask, directory), "ENOTTY")
        for request in (GET_STATUS + 1, GET_STATUS - (1 << 16), GET_STATUS + (1 << 30),
                        GET_STATUS & 0xffff, 2 << 30 | SIZE << 16 | 0xDB << 8 | 1):
            self.assertEqual(calls.outcome(ask, self.opened(IDLE), request), "ENOTTY")

    def test_a_bad_pointer(self):
        descriptor = self.opened(IDLE)
        answer = calls.outcome(
            lambda: calls.checked(calls.libc.ioctl(descriptor, GET_STATUS, 0)))
        self.assertEqual(answer, "EFAULT")
        self.assertEqual(self.mount.read(), b"N\n")

    def test_the_modes_of_the_file_decide(self):
        path = self.mount.file(IDLE)
        asked = lambda: calls.in_child(
            lambda: status_of(os.open(path, os.O_RDONLY))["state"], uid=NOBODY)
        self.assertIn("Permission denied", asked())
        self.addCleanup(os.chmod, path, 0o400)
        os.chmod(path, 0o444)
        self.assertEqual(asked(), "off")

    def test_it_is_not_a_read(self):
        """The text that a reader has begun stays its own."""
        descriptor = self.opened(IDLE)
        begun = os.read(descriptor, 5)
        status_of(descriptor)
        self.assertEqual(begun + os.read(descriptor, 4096), self.mount.read(IDLE))


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stream:
        fields = stream.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Command(unittest.TestCase):
    def test_json_and_lines(self):
        with Mount(enabled="Y") as mount:
            wait_for(lambda: status_of_mount(mount)["nr_checks"], what="the first refresh")
            done = run_daemon("--status=json", mount.path)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            status = json.loads(done.stdout)
            self.assertEqual((status["state"], status["pid"]), ("on", mount.pid))
            self.assertEqual(status["kdamond_pid"], None)  # the engine samples
            with open(f"/proc/{mount.pid}/task/{status['engine_tid']}/comm") as comm:
                self.assertEqual(comm.read(), "damon_engine\n")
            done = run_daemon("--status", mount.path)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            lines = dict(line.split(": ", 1) for line in done.stdout.splitlines())
            self.assertEqual((lines["state"], lines["pid"]), ("on", str(mount.pid)))
            told = [name for name, value in status.items() if value is not None]
            self.assertEqual(list(lines), told)
            mount.write(b"N")
            self.assertIn("state: off\n", run_daemon("--status", mount.path).stdout)

    def test_what_is_not_known_yet_is_null(self):
        """Before the first refresh, and after a start that has failed, no figure is 0."""
        figures = ("sample_us", "aggr_us", "nr_pages", "nr_checks", "nr_dropped", "engine_cpu_s",
                   "untracked_bytes", "unmapped_cache_bytes", "check_period_ms", "idle_below_1000_ms_percent",
                   "idle_below_6000_ms_error_percent")
        with Mount(enabled="Y", refresh_ms=600000) as mount:
            for _ in range(2):
                status = status_of_mount(mount)
                self.assertEqual((status["state"], status["estimator"]), ("on", "pages"))
                self.assertEqual({status[name] for name in figures}, {None})
                self.assertEqual(status["monitored_bytes"], 256 << 20)
                self.assertNotIn("idle_below", run_daemon("--status", mount.path).stdout)
                mount.write(b"N")
                mount.write(b"Y")
        with Mount(ops="page_idle") as mount:
            self.assertEqual(calls.outcome(mount.write, b"Y"), "ENODEV")
            status = status_of_mount(mount)
            self.assertEqual({status[name] for name in (*figures, "monitored_bytes", "monitoring_s")}, {None})

    def test_a_mirror_says_whose_values_it_shows(self):
        for state, pid in (("Y\n", 321), ("N\n", None)):
            with Mount(ops="auto", rootfs=kernel("7.2", state)) as mount:
                status = status_of_mount(mount)
                self.assertEqual((status["operations_set"], status["estimator"], status["kdamond_pid"],
                                  status["engine_tid"], status["aggr_us"]),
                                 ("damon_stat", "kernel", pid, None, 200000))

    def test_its_own_cpu_time(self):
        """What the kernel counts before and after the question, in ticks of 10 ms each of user and system."""
        with Mount() as mount:
            while cpu_seconds(mount.pid) < 0.1:
                mount.read(IDLE)
            least = cpu_seconds(mount.pid)
            status = json.loads(run_daemon("--status=json", mount.path).stdout)
            most = cpu_seconds(mount.pid)
            self.assertTrue(least - 0.02 <= status["cpu_s"] <= most + 0.02, (least, status, most))
            self.assertAlmostEqual(status["cpu_percent"],
                                   100 * status["cpu_s"] / status["uptime_s"], delta=0.5)

    def refused(self, code, path, *words, **keywords):
        done = run_daemon("--status", path, **keywords)
        self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        for word in (path, *words):
            self.assertIn(word, done.stderr)

    def test_no_mount_of_ours(self):
        self.refused(1, new_directory(), "no damon-statfs is mounted there")
        self.refused(1, "/proc", "no damon-statfs is mounted there")
        self.refused(1, "/nonexistent", "No such file")
        with Mount() as mount:
            self.refused(1, mount.file(ENABLED), "no damon-statfs is mounted there")

    def test_a_dead_one(self):
        with Mount() as mount:
            mount.kill(signal.SIGKILL)
            mount.wait_gone()
            self.refused(32, mount.path, "died")
            calls.umount(mount.path)

    def test_without_the_right_to_read(self):
        if not calls.in_child(os.access, support.BINARY, os.X_OK, uid=NOBODY):
            self.skipTest("the binary is not reachable for others")
        with Mount() as mount:
            os.chmod(support.BASE, 0o1777)
            self.addCleanup(os.chmod, support.BASE, 0o755)

            def attempt():
                done = run_daemon("--status", mount.path)
                return [done.returncode, done.stdout, done.stderr]
            code, out, err = calls.in_child(attempt, uid=NOBODY)
            self.assertEqual((code, out), (1, ""), err)
            self.assertIn(f"{IDLE}: Permission denied", err)

    def test_other_paths_to_the_same_mount(self):
        with Mount(enabled="Y") as mount:
            link = os.path.join(new_directory("link"), "l")
            os.symlink(mount.path, link)
            for path in (mount.path + "/", os.path.join(mount.path, "."), link):
                self.assertIn("state: on\n", run_daemon("--status", path).stdout)

    def test_while_files_have_another_abi(self):
        for abi in ("6.17", "6.18"):
            with Mount(abi=abi) as mount:
                self.assertIn("state: off\n", run_daemon("--status", mount.path).stdout)
                if abi != "6.17":
                    mount.read(AGGR)
