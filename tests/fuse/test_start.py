# SPDX-License-Identifier: GPL-2.0-or-later
"""Starting: what exit 0 promises, how the daemon looks as a process, what cannot be mounted.

Exit 0 means mounted and answering; 32 means one line why not, and nothing mounted.
"""
import os
import signal
import subprocess
import tempfile
import unittest

import calls
import support
from support import BINARY, Mount, alive, daemons, mountinfo, new_directory


class Background(unittest.TestCase):
    def test_mounted_and_answering_at_exit(self):
        for _ in range(10):
            with Mount(enabled="Y") as mount:
                self.assertEqual(mount.read(), b"Y\n")

    def test_mountinfo(self):
        """Without a SOURCE a simulated mount says so in its place."""
        for source, ops, expected in ((None, "page_idle", "damon-statfs"),
                                      (None, "sim", "simulated"),
                                      ("damon_stat", "sim", "damon_stat")):
            with self.subTest(source, ops=ops), Mount(source=source, ops=ops) as mount:
                line = mountinfo(mount.path)[0]
                kind, name, options = line[line.index("-") + 1:]
                self.assertEqual((kind, name), ("fuse.damon-statfs", expected))
                self.assertLessEqual({"nosuid", "nodev", "noexec", "rw"}, set(line[5].split(",")))
                self.assertLessEqual({"default_permissions", "allow_other"},
                                     set(options.split(",")))

    def test_process(self):
        with Mount(enabled="Y") as mount:
            proc = f"/proc/{mount.pid}"
            self.assertEqual(os.readlink(f"{proc}/cwd"), "/")
            with open(f"{proc}/stat") as stream:
                fields = stream.read().rsplit(")", 1)[1].split()
            self.assertEqual(int(fields[1]), 1, "parent")
            self.assertEqual(int(fields[3]), os.getsid(mount.pid))
            self.assertNotEqual(int(fields[3]), os.getsid(0), "own session")
            for task in os.listdir(f"{proc}/task"):
                with open(f"{proc}/task/{task}/children") as stream:
                    self.assertEqual(stream.read(), "", "no helper processes")

    def test_no_inherited_descriptors(self):
        with tempfile.NamedTemporaryFile(dir=support.BASE) as marker:
            for number in (3, 10, 251):
                saved = calls.outcome(os.fstat, number) == "ok" and os.dup(number)
                os.dup2(marker.fileno(), number, inheritable=True)
                if saved:
                    self.addCleanup(os.close, saved)
                    self.addCleanup(os.dup2, saved, number, inheritable=False)
                else:
                    self.addCleanup(os.close, number)
            path, before = new_directory("mnt"), daemons()
            mount = Mount(path=path)
            done = support.run_daemon(*mount.arguments(), close_fds=False)
            mount.pids = daemons() - before
            self.addCleanup(mount.clean)
            self.assertEqual(done.returncode, 0, done.stderr)
            targets = [os.readlink(f"/proc/{mount.pid}/fd/{fd}")
                       for fd in os.listdir(f"/proc/{mount.pid}/fd")]
            self.assertNotIn(marker.name, targets)
            mount.stop()

    def test_output_pipes_are_closed(self):
        """$(damon-statfs ...) in a shell must return."""
        mount = Mount()
        before = daemons()
        self.addCleanup(mount.clean)
        done = subprocess.run([BINARY, *mount.arguments()], stdout=subprocess.PIPE, check=False,
                              stderr=subprocess.STDOUT, timeout=5)
        mount.pids = daemons() - before
        self.assertEqual(done.returncode, 0, done.stdout)
        mount.stop()

    def test_closed_standard_descriptors(self):
        mount, before = Mount(enabled="Y"), daemons()
        self.addCleanup(mount.clean)
        done = subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", BINARY,
                               *mount.arguments()], check=False, timeout=10)
        mount.pids = daemons() - before
        self.assertEqual(done.returncode, 0)
        self.assertEqual(mount.read(), b"Y\n")
        mount.stop()

    def test_blocked_and_ignored_signals_of_the_caller(self):
        signals = {signal.SIGTERM, signal.SIGHUP, signal.SIGINT}

        def hostile():
            signal.pthread_sigmask(signal.SIG_BLOCK, signals)
            for number in (*signals, signal.SIGCHLD, signal.SIGPIPE):
                signal.signal(number, signal.SIG_IGN)
        mount, before = Mount(), daemons()
        self.addCleanup(mount.clean)
        done = support.run_daemon(*mount.arguments(), preexec_fn=hostile)
        mount.pids = daemons() - before
        self.assertEqual(done.returncode, 0, done.stderr)
        mount.kill(signal.SIGTERM)
        mount.wait_gone()

    def test_mountpoint_names(self):
        for name in ("with space", "com,ma", "back\\slash", "quote'\"", "ünicode", "x" * 200, "-"):
            with self.subTest(name):
                path = os.path.join(new_directory("names"), name)
                os.mkdir(path)
                with Mount(path=path) as mount:
                    self.assertEqual(mount.read(), b"N\n")

    def test_relative_mountpoint(self):
        base, before = new_directory("relative"), daemons()
        os.mkdir(os.path.join(base, "here"))
        mount = Mount(path=os.path.join(base, "here"))
        self.addCleanup(mount.clean)
        done = support.run_daemon(*mount.arguments()[:-1], "./here", cwd=base)
        mount.pids = daemons() - before
        self.assertEqual((done.returncode, len(mountinfo(mount.path))), (0, 1), done.stderr)
        mount.stop()

    def test_two_mountpoints(self):
        with Mount(enabled="Y") as first, Mount() as second:
            self.assertEqual((first.read(), second.read()), (b"Y\n", b"N\n"))


class Foreground(unittest.TestCase):
    def test_stays_in_the_foreground(self):
        for extra in ((), ("-d",)):
            with self.subTest(extra), support.Foreground(*extra, enabled="Y") as mount:
                self.assertIsNone(mount.process.poll())
                self.assertEqual(daemons(), mount.pids)
                self.assertEqual(mount.end()[0], 0)
                self.assertEqual(mountinfo(mount.path), [])

    def test_umount_is_exit_0(self):
        with support.Foreground(enabled="Y") as mount:
            calls.umount(mount.path)
            self.assertEqual(mount.process.wait(support.STOP_SECONDS), 0)

    def test_log_says_simulated(self):
        with support.Foreground() as mount:
            self.assertIn(f"mounted on {mount.path}: simulated memory", mount.end()[1])


class Refused(unittest.TestCase):
    def refused(self, path, *extra, word=None):
        """Exit 32, one line, nothing mounted and nothing left running."""
        before = daemons()
        done = support.run_daemon(*extra, *Mount(path=path).arguments())
        self.assertEqual(done.returncode, 32, done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        self.assertIn(word or path, done.stderr)
        self.assertEqual(daemons(), before)

    def test_mountpoint_is_missing(self):
        for extra in ((), ("-f",)):
            self.refused(os.path.join(new_directory(), "missing"), *extra)

    def test_mountpoint_is_a_file(self):
        path = os.path.join(new_directory(), "file")
        with open(path, "wb"):
            pass
        self.refused(path)
        self.assertEqual(mountinfo(path), [])

    def test_second_daemon_on_a_live_mountpoint(self):
        with Mount(enabled="Y") as mount:
            for extra in ((), ("-f",)):
                self.refused(mount.path, *extra)
            self.assertEqual(len(mountinfo(mount.path)), 1)
            self.assertTrue(alive(mount.pid))
            self.assertEqual(mount.read(), b"Y\n")

    def test_unprivileged(self):
        """Without the rights to mount: 32."""
        path = new_directory("mnt")

        arguments = Mount(path=path).arguments()

        def attempt():
            done = support.run_daemon(*arguments)
            return [done.returncode, done.stderr]
        if not calls.in_child(os.access, BINARY, os.X_OK, uid=support.NOBODY):
            self.skipTest("the binary is not reachable for others")
        os.chmod(support.BASE, 0o1777)
        self.addCleanup(os.chmod, support.BASE, 0o755)
        answer = calls.in_child(attempt, uid=support.NOBODY)
        self.assertEqual(answer[0], 32, answer)
        self.assertEqual(mountinfo(path), [])
