# SPDX-License-Identifier: GPL-2.0-or-later
"""Every signal that another program may send: it ends the daemon as SIGTERM does, or has no effect.

None may kill the daemon, which would leave a mount behind that no daemon serves. Two of them come from
the log: SIGPIPE of a pipe that no process reads, SIGXFSZ of a file that may not grow.
"""
import os
import signal
import subprocess
import time
import unittest

import calls
import support
from support import FAST, Foreground, Mount, alive, mountinfo, new_directory

ENDING = (signal.SIGQUIT, signal.SIGXCPU)  # test_stop has SIGTERM, SIGINT and SIGHUP
REALTIME = (signal.SIGRTMIN, signal.SIGRTMIN + 1, signal.SIGRTMAX - 1, signal.SIGRTMAX)
WITHOUT_EFFECT = (signal.SIGUSR2, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGXFSZ,
                  signal.SIGPIPE, signal.SIGIO, signal.SIGPWR, signal.SIGSTKFLT, *REALTIME)


class Sent(unittest.TestCase):
    def test_ends_like_sigterm(self):
        for number in ENDING:
            for options in ({}, {**FAST, "enabled": "Y"}):
                with self.subTest(number.name, **options), Foreground(**options) as mount:
                    descriptor = mount.open()
                    self.addCleanup(calls.close, descriptor)
                    status, log = mount.end(number)
                    self.assertEqual((status, mountinfo(mount.path)), (0, []), log)

    def test_ends_like_sigterm_in_the_background(self):
        for number in ENDING:
            with self.subTest(number.name), Mount(enabled="Y") as mount:
                mount.kill(number)
                mount.wait_gone()
                self.assertEqual(mountinfo(mount.path), [])

    def test_has_no_effect(self):
        for number in WITHOUT_EFFECT:
            with self.subTest(int(number)), Mount(enabled="Y") as mount:
                mount.kill(number)
                self.assertEqual(calls.outcome(mount.read), "ok")
                time.sleep(0.01)  # for a death that is slower than an answer
                self.assertTrue(alive(mount.pid))
                self.assertEqual(mount.read(), b"Y\n")

    def test_all_without_effect_at_once(self):
        with Mount(**FAST, enabled="Y") as mount:
            for number in WITHOUT_EFFECT * 3:
                mount.kill(number)
            mount.wait_snapshot()
            self.assertEqual(mount.write(b"N"), 1)
            self.assertEqual(mount.read(), b"N\n")


class Log(unittest.TestCase):
    """A log that takes no more lines: the lines are lost, and nothing else."""

    def goes_on(self, mount):
        for _ in range(20):
            mount.kill(signal.SIGUSR1)
            mount.write(b"Y")
            mount.write(b"N")
        self.assertTrue(alive(mount.pid))
        self.assertEqual(mount.read(), b"N\n")
        self.assertEqual(mount.end()[0], 0)
        self.assertEqual(mountinfo(mount.path), [])

    def test_file_at_its_limit(self):
        """RLIMIT_FSIZE, which is ulimit -f: SIGXFSZ."""
        with Foreground(wrapper=("prlimit", "--fsize=100")) as mount:
            self.goes_on(mount)
            self.assertEqual(len(mount.log()), 100)

    def test_file_system_is_full(self):
        full = new_directory("full")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", full], check=True)
        self.addCleanup(calls.umount, full, calls.MNT_DETACH)
        with open(os.path.join(full, "log"), "wb") as log:
            with Foreground(stderr=log) as mount:
                self.goes_on(mount)
            self.assertLessEqual(os.fstat(log.fileno()).st_size, 4096)

    def test_pipe_without_a_reader(self):
        reading, writing = os.pipe()
        os.close(reading)
        self.addCleanup(os.close, writing)
        with Foreground(stderr=writing) as mount:
            self.goes_on(mount)


class Blocked(unittest.TestCase):
    def test_a_caller_that_blocks_all(self):
        """What its caller has blocked or ignores ends a daemon all the same."""
        def block():
            signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
            for number in ENDING:
                signal.signal(number, signal.SIG_IGN)
        for number in ENDING:
            mount, before = Mount(), support.daemons()
            self.addCleanup(mount.clean)
            done = support.run_daemon(*mount.arguments(), preexec_fn=block)
            mount.pids = support.daemons() - before
            self.assertEqual(done.returncode, 0, done.stderr)
            mount.kill(number)
            mount.wait_gone()
            self.assertEqual(mountinfo(mount.path), [])


class Manual(unittest.TestCase):
    def test_every_signal_is_in_it(self):
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../mount/man/damon-statfs.8")
        with open(path, encoding="utf-8") as stream:
            section = stream.read().split("\n.SH SIGNALS\n")[1].split("\n.SH ")[0]
        for number in signal.Signals:
            self.assertRegex(section, rf"\b{number.name}\b")
