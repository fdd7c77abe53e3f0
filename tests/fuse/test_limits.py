# SPDX-License-Identifier: GPL-2.0-or-later
"""Limits of the process: a handful of descriptors, none of one kind, no /dev/null.

A start works or says in one line what it lacks; a mount that was made answers and can be ended.
"""
import os
import platform
import resource
import subprocess
import unittest

import calls
import support
from machine import MACHINE, QUICK
from support import (BINARY, Foreground, Mount, daemons, mountinfo, new_directory, tree, wait_for)
from test_damon_stat import kernel

SETS = {"sim": {}, "page_idle": {"ops": "page_idle", **QUICK}, "damon_stat": {"ops": "damon_stat"}}


class Descriptors(unittest.TestCase):
    def limited(self, number, options):
        """A start in the background with at most so many descriptors; its mount, if there is one."""
        mount, before = Mount(**options), daemons()
        self.addCleanup(mount.clean)

        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))
        done = support.run_daemon(*mount.arguments(), preexec_fn=limit)
        mount.pids = daemons() - before
        if done.returncode == 0:
            self.assertEqual((len(mountinfo(mount.path)), len(mount.pids)), (1, 1))
            return mount
        self.assertEqual((mountinfo(mount.path), mount.pids), ([], set()))
        self.assertIn(done.stderr.count("\n"), (1, 2, 3), done.stderr)  # what looks at its records may say it first
        for line in done.stderr.splitlines():
            self.assertRegex(line, "Too many open files|Error 24")  # or the linker, earlier
        return None

    @unittest.skipIf(support.is_sanitized(), "a sanitizer needs descriptors, too")
    def test_few(self):
        """From none to spare, where it says so, to enough."""
        roots = {"sim": None, "page_idle": tree(MACHINE), "damon_stat": kernel("7.2")}
        for ops, options in SETS.items():
            refused = []
            for number in range(3, 15):
                with self.subTest(number, ops=ops):
                    mount = self.limited(number, {**options, "rootfs": roots[ops]})
                    if mount is None:
                        refused.append(number)
                        continue
                    answer = calls.outcome(mount.write, b"Y")
                    self.assertIn(answer, ("ok", "EMFILE") if number < 12 else ("ok",))
                    self.assertEqual(mount.read(), b"Y\n" if answer == "ok" else b"N\n")
                    self.assertEqual(calls.outcome(mount.write, b"N"), "ok")
                    mount.kill(15)
                    mount.wait_gone()
                    self.assertEqual(mountinfo(mount.path), [])
            self.assertTrue(refused and refused == list(range(3, 3 + len(refused))), refused)
            self.assertLess(refused[-1], 10, f"so many are enough for {ops}")

    @unittest.skipIf(support.is_sanitized(), "a sanitizer needs descriptors, too")
    def test_all_gone_while_it_runs(self):
        """It answers, and a signal ends it, although it cannot open anything any more."""
        with Foreground(enabled="Y") as mount:
            subprocess.run(["prlimit", f"--pid={mount.pid}", "--nofile=3:"], check=True)
            for _ in range(10):
                for data in (b"N", b"Y"):
                    self.assertEqual(calls.outcome(mount.write, data), "ok")
                    self.assertEqual(mount.read(), data + b"\n")
            subprocess.run(["prlimit", f"--pid={mount.pid}", "--nofile=64:"], check=True)
            mount.write(b"Y")
            self.assertEqual(mount.read(), b"Y\n")
            self.assertEqual(mount.end()[0], 0)


@unittest.skipUnless(platform.machine() in calls.SYSCALLS, "system call numbers are not known")
class NoDescriptorOfThatKind(unittest.TestCase):
    """The table of files was full just when one of the daemon's own descriptors was made."""

    def test_it_does_not_start_without(self):
        """Without them it would be deaf to signals, to the engine or to its watchdog's time."""
        supervised = {**os.environ, "NOTIFY_SOCKET": "/nonexistent", "WATCHDOG_USEC": "1000000"}
        for name in ("signalfd4", "eventfd2", "timerfd_create"):
            for flags in ((), ("-f",)):
                with self.subTest(name, flags=flags):
                    mount, before = Mount(enabled="Y"), daemons()
                    self.addCleanup(mount.clean)
                    start = subprocess.Popen([BINARY, *flags, *mount.arguments()], env=supervised,
                                             stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                             stdout=subprocess.DEVNULL, text=True,
                                             preexec_fn=lambda call=name: calls.deny(call))
                    self.addCleanup(start.wait, 5)
                    self.addCleanup(start.kill)
                    said = start.communicate(timeout=3)[1]
                    mount.pids = daemons() - before
                    self.assertEqual((start.returncode, said.count("\n")), (32, 1), said)
                    self.assertIn("Too many open files", said)
                    self.assertEqual((mountinfo(mount.path), mount.pids), ([], set()))


class Bare(unittest.TestCase):
    """A container without /dev/null."""

    SCRIPT = ("set -e; mount -t tmpfs none /dev; mknod /dev/fuse c 10 229; "
              '"$0" "$@" | cat; [ -e {path}/enabled ]; cat {path}/enabled; umount {path}')

    def test_a_pipe_of_the_caller_is_not_kept(self):
        for closed in ("", "<&-"):
            mount, before = Mount(enabled="Y"), daemons()
            self.addCleanup(mount.clean)
            script = self.SCRIPT.format(path=mount.path).replace('"$@"', f'"$@" {closed}')
            done = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", script,
                                   BINARY, *mount.arguments()], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=10,
                                  check=False)
            mount.pids = daemons() - before
            self.assertEqual((done.returncode, done.stdout.splitlines()[-1]), (0, b"Y"),
                             done.stdout)
            mount.wait_gone()

    def test_nothing_of_the_caller_is_kept(self):
        """Its standard descriptors lead nowhere."""
        mount, before = Mount(), daemons()
        self.addCleanup(mount.clean)
        output = os.path.join(new_directory("out"), "out")
        script = 'mount -t tmpfs none /dev && mknod /dev/fuse c 10 229 && exec "$0" "$@"'
        with open(output, "w") as stream:
            done = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", script,
                                   BINARY, *mount.arguments()], stdin=stream, stdout=stream,
                                  stderr=stream, timeout=10, check=False)
        mount.pids = wait_for(lambda: daemons() - before, 5, "the daemon")
        self.assertEqual(done.returncode, 0)
        targets = [os.readlink(f"/proc/{mount.pid}/fd/{number}") for number in range(3)]
        self.assertNotIn(output, targets)
        mount.kill(15)
        mount.wait_gone()
