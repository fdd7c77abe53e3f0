# SPDX-License-Identifier: GPL-2.0-or-later
"""mount -o remount and systemctl reload: what may change while it is mounted does, and the rest is refused.

Both run the program with the word remount, which asks the mount's daemon by an ioctl of root's.
"""
import errno
import fcntl
import os
import stat
import unittest

import calls
import support
from machine import MACHINE, QUICK_PAGES
from snapshots import Run
from support import ENABLED, NOBODY, Foreground, Mount, mountinfo, spawn, tree, wait_equal, wait_for

CHANGE_OPTIONS = 3 << 30 | 8192 << 16 | 0xDA << 8 | 2  # _IOWR(0xDA, 2, char[8192])
HOUR_MS = 3_600_000


def remount(mount, words):
    return support.run_daemon("-o", "remount," + words, "source", mount.path)


class Remount(unittest.TestCase):
    def changed(self, mount, words):
        done = remount(mount, words)
        self.assertEqual((done.returncode, done.stderr), (0, ""), words)

    def refused(self, mount, words, *texts, code=32):
        done = remount(mount, words)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (code, 1), (words, done.stderr))
        for text in texts:
            self.assertIn(text, done.stderr)

    def test_the_refresh_interval(self):
        """A first refresh that would come in an hour comes at once, and idle times are not lost."""
        with Mount(refresh_ms=HOUR_MS, sim="64M@never") as mount:
            run = Run(mount)
            self.assertEqual(mount.numbers()[100], 0)
            self.changed(mount, "refresh_ms=100")
            run.wait_idle(500)
            self.changed(mount, f"refresh_ms={HOUR_MS}")

    def test_each_estimator_and_while_it_is_off(self):
        for estimator in ("pages", "regions"):
            with self.subTest(estimator), \
                    Foreground(refresh_ms=HOUR_MS, estimator=estimator, aggr_us=50000) as mount:
                self.changed(mount, "refresh_ms=100,max_cpu=50,aggrs=2,access_bp=300,"
                                    "min_sample_us=6000,max_sample_us=7000")
                Run(mount).wait_idle(300)
                self.assertIn("options changed: max_cpu=50, refresh_ms=100, access_bp=300, aggrs=2, "
                              "min_sample_us=6000, max_sample_us=7000", mount.log())

    def test_the_switch(self):
        with Mount() as mount:
            for word, state in (("enabled=Y", b"Y\n"), ("enabled=1", b"Y\n"), ("enabled=N", b"N\n")):
                self.changed(mount, word)
                self.assertEqual(mount.read(), state)
        with Mount(ops="page_idle", rootfs=tree({})) as mount:
            self.refused(mount, "enabled=Y", "enabled=Y: No such device")
            self.assertEqual(mount.read(), b"N\n")

    def test_what_is_so_already_is_no_change(self):
        """mount(8) adds the whole line of fstab."""
        root = tree(MACHINE)
        options = {"ops": "auto", "rootfs": root, "ram": "0-8M", "seed": 3, **QUICK_PAGES}
        with Mount(enabled="Y", **options) as mount:
            words = mount.arguments()[1]
            self.changed(mount, words)
            self.changed(mount, words + ",max_cpu=5")
            self.changed(mount, words.replace("max_cpu=100", "max_cpu=5") + ",nosuid,nofail,x-test")
            self.assertEqual(mount.read(), b"Y\n")

    def test_what_cannot_change(self):
        with Mount(estimator="pages") as mount:
            for word in ("ops=page_idle", "seed=4", "abi=7.2", "sample_us=6000", "aggr_us=200000",
                         "update_us=1", "min_nr_regions=11", "max_nr_regions=99", "ram=biggest",
                         "estimator=regions", "regions=kernel", "untracked=exclude", "untracked=exclude_unmapped", "sim=1G@1ms", "kdamond=3",
                         "rootfs=/elsewhere"):
                with self.subTest(word):
                    self.refused(mount, "max_cpu=7," + word, word + ": cannot change while it is mounted")

    def test_wrong_words(self):
        with Mount() as mount:
            for words, text, code in (("ops=nope", "ops=nope", 1), ("nope=1", "nope=1", 1),
                                      ("max_cpu=x", "max_cpu=x", 1), ("max_cpu=0", "max_cpu=0", 1),
                                      ("min_sample_us=10,max_sample_us=5", "max_sample_us=5", 32)):
                with self.subTest(words):
                    self.refused(mount, words, text, code=code)
            self.assertEqual(mount.read(), b"N\n")

    def test_flags_and_options_together(self):
        with Mount() as mount:
            self.changed(mount, "ro,enabled=Y")
            self.assertIn("ro", mountinfo(mount.path)[0][5].split(","))
            self.assertEqual(mount.read(), b"Y\n")
            self.changed(mount, "enabled=N")  # and writable again
            self.assertIn("rw", mountinfo(mount.path)[0][5].split(","))
            self.refused(mount, "ro,seed=77", "seed=77")
            self.assertIn("rw", mountinfo(mount.path)[0][5].split(","))

    def test_a_daemon_that_has_died(self):
        with Mount() as mount:
            mount.kill(9)
            mount.wait_gone()
            self.refused(mount, "max_cpu=5", "its daemon has died")
            self.assertEqual(remount(mount, "ro").returncode, 0)
            calls.umount(mount.path)

    def test_no_mount(self):
        mount = Mount()
        self.refused(mount, "max_cpu=5", "no damon-statfs is mounted there")


class Ioctl(unittest.TestCase):
    def ask(self, path, words):
        """Root's request: what the daemon answers."""
        descriptor = os.open(path, os.O_RDONLY)
        try:
            buffer = bytearray(words.ljust(8192, b"\0"))
            fcntl.ioctl(descriptor, CHANGE_OPTIONS, buffer)
            return bytes(buffer).split(b"\0")[0]
        finally:
            os.close(descriptor)

    def test_for_root_alone(self):
        with Mount() as mount:
            path = os.path.join(mount.path, ENABLED)
            self.assertEqual(self.ask(path, b"max_cpu=5"), b"")
            os.chmod(path, stat.S_IMODE(os.stat(path).st_mode) | 0o666)

            def ask_as_nobody():
                os.setgroups([])
                os.setresgid(NOBODY, NOBODY, NOBODY)
                os.setresuid(NOBODY, NOBODY, NOBODY)
                try:
                    self.ask(path, b"max_cpu=100")
                except OSError as error:
                    os._exit(error.errno)
            child = spawn(ask_as_nobody)
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), errno.EPERM)

    def test_any_text(self):
        with Mount() as mount:
            path = os.path.join(mount.path, ENABLED)
            for text in (b"", b",,", b"max_cpu=5,,", b"max_cpu=7"):
                self.assertEqual(self.ask(path, text), b"", text)
            for text in (b"=", b"max_cpu", b"\n", b"\xff" * 8192, b"ro", b"a" * 8191):
                self.assertNotEqual(self.ask(path, text), b"", text)
            for name in os.listdir(mount.path):
                if name != ENABLED:
                    with self.subTest(name):
                        answer = calls.outcome(self.ask, os.path.join(mount.path, name), b"max_cpu=5")
                        self.assertEqual(answer, "ENOTTY")
            wait_equal(mount.read, b"N\n", what="the state")

    def test_while_a_switch_is_on_its_way(self):
        """Many requests at once: each is answered, and the last one holds."""
        with Mount(enabled="Y") as mount:
            path = os.path.join(mount.path, ENABLED)
            answers = set()
            for number in range(50):
                answers.add(self.ask(path, b"max_cpu=%d,enabled=%s" % (number + 1, b"YN"[number % 2:][:1])))
            self.assertLessEqual(answers, {b"", b"the engine is still busy with the change before; try again"})
            wait_for(lambda: self.ask(path, b"enabled=N") == b"", what="the last switch")
            self.assertEqual(mount.read(), b"N\n")

