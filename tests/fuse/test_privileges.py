# SPDX-License-Identifier: GPL-2.0-or-later
"""What the daemon keeps: capabilities per operations set, descriptors, umask, no core dumps.

Everything is read from /proc/PID, of both threads; the table is that of mount/privileges.cc.
"""
import os
import resource
import signal
import subprocess
import unittest

import calls
import support
from machine import MACHINE
from support import BINARY, Foreground, Mount, daemons, mountinfo, new_directory, tree, wait_for

SYS_ADMIN, IPC_LOCK, PTRACE, DAC_SEARCH, DAC_OVERRIDE = 1 << 21, 1 << 14, 1 << 19, 1 << 2, 1 << 1


def fields(pid, task=None):
    path = f"/proc/{pid}/task/{task}/status" if task else f"/proc/{pid}/status"
    with open(path) as stream:
        return {name: value.strip() for name, _, value in
                (line.partition(":") for line in stream)}


def threads(pid):
    """The ids of all threads of ours. The thread sanitizer has one of its own from the start."""
    ids = os.listdir(f"/proc/{pid}/task")
    if not support.is_sanitized("thread"):
        return ids
    return [task for task in ids
            if task == str(pid) or fields(pid, task)["Name"] == "damon_engine"]


def capabilities(pid):
    """The inherited, permitted, effective, bounding and ambient set, in all threads."""
    return {tuple(int(value, 16) for name, value in fields(pid, task).items()
                  if name.startswith("Cap")) for task in threads(pid)}


class Kept(unittest.TestCase):
    def check(self, mount, kept):
        self.assertEqual(capabilities(mount.pid), {(0, kept, kept, kept, 0)})

    def test_with_rootfs(self):
        """The files may belong to any user."""
        with Mount(enabled="Y") as mount:
            self.assertGreater(len(os.listdir(f"/proc/{mount.pid}/task")), 1)
            self.check(mount, SYS_ADMIN | DAC_OVERRIDE)
            mount.write(b"N")
            mount.write(b"Y")
            self.check(mount, SYS_ADMIN | DAC_OVERRIDE)
        for ops in ("kdamond", "observe", "auto"):
            with self.subTest(ops), Mount(ops=ops) as mount:
                self.check(mount, SYS_ADMIN | DAC_OVERRIDE | IPC_LOCK)
        for ops in ("page_idle", "damon_stat"):
            with self.subTest(ops), Mount(ops=ops, rootfs=tree(MACHINE)) as mount:
                self.check(mount, SYS_ADMIN | DAC_OVERRIDE)

    def plain(self, path=None):
        """A simulated mount without rootfs=, as people have it."""
        mount = Mount(path=path)
        del mount.options["rootfs"]
        return mount

    def test_without_rootfs(self):
        with self.plain() as mount:
            self.check(mount, SYS_ADMIN)

    def test_behind_a_directory_of_somebody_else(self):
        home = new_directory("home")
        os.mkdir(os.path.join(home, "mnt"))
        os.chown(home, support.NOBODY, support.NOBODY)
        os.chmod(home, 0o700)
        with self.plain(os.path.join(home, "mnt")) as mount:
            self.check(mount, SYS_ADMIN | DAC_SEARCH)
            mount.kill(signal.SIGTERM)
            mount.wait_gone()
            self.assertEqual(mountinfo(mount.path), [], "could not unmount itself")

    def test_with_hidden_processes(self):
        script = ('mount -t proc -o hidepid=%s proc /proc || exit 77; exec "$@"')
        for hidepid, extra in (("2", PTRACE), ("0", 0)):
            for ops, own in (("page_idle", 0), ("sim", None)):
                with self.subTest(hidepid, ops=ops):
                    mount = Mount(ops=ops, rootfs=tree(MACHINE))
                    self.addCleanup(mount.clean)
                    before = daemons()
                    done = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c",
                                           script % hidepid, "sh", BINARY, *mount.arguments()],
                                          stderr=subprocess.PIPE, timeout=10, check=False)
                    if done.returncode == 77:
                        self.skipTest("no hidepid here")
                    mount.pids = daemons() - before
                    self.assertEqual(done.returncode, 0, done.stderr)
                    kept = SYS_ADMIN | DAC_OVERRIDE | (extra if own is not None else 0)
                    self.check(mount, kept)
                    mount.kill(signal.SIGTERM)
                    mount.wait_gone()

    def test_what_is_not_there_is_not_asked_for(self):
        """A unit may have bounded it further, and taken the right to bound away."""
        for bounds in ("-all,+sys_admin", "-all,+sys_admin,+setpcap", "-all,+sys_admin,+dac_override"):
            with self.subTest(bounds):
                mount, before = self.plain(), daemons()
                self.addCleanup(mount.clean)
                done = subprocess.run(["setpriv", "--bounding-set", bounds, BINARY,
                                       *mount.arguments()], stderr=subprocess.PIPE, timeout=10,
                                      check=False)
                mount.pids = daemons() - before
                self.assertEqual(done.returncode, 0, done.stderr)
                for inherited, permitted, effective, _, ambient in capabilities(mount.pid):
                    self.assertEqual((inherited, permitted, effective, ambient),
                                     (0, SYS_ADMIN, SYS_ADMIN, 0))
                mount.stop()

    def test_ambient_and_inheritable(self):
        mount, before = self.plain(), daemons()
        self.addCleanup(mount.clean)
        done = subprocess.run(["setpriv", "--inh-caps", "+net_admin,+sys_admin", "--ambient-caps",
                               "+net_admin,+sys_admin", BINARY, *mount.arguments()],
                              stderr=subprocess.PIPE, timeout=10, check=False)
        mount.pids = daemons() - before
        self.assertEqual(done.returncode, 0, done.stderr)
        self.check(mount, SYS_ADMIN)
        mount.stop()


class Process(unittest.TestCase):
    def test_hardening(self):
        for kind in (Mount, Foreground):
            with self.subTest(kind.__name__), kind(enabled="Y") as mount:
                for task in threads(mount.pid):
                    status = fields(mount.pid, task)
                    self.assertEqual((status["NoNewPrivs"], status["Umask"]), ("1", "0077"))
                with open(f"/proc/{mount.pid}/limits") as stream:
                    limits = stream.read()
                self.assertRegex(limits, r"Max core file size +0 +0 ")

    def test_nobody_can_look_into_it(self):
        """Not dumpable: its /proc files are root's whichever user had started it, and there is no core."""
        with Mount() as mount:
            proc = f"/proc/{mount.pid}"
            self.assertEqual((os.stat(f"{proc}/fd").st_uid, os.stat(f"{proc}/fd").st_gid), (0, 0))
            without = ["setpriv", "--bounding-set", "-sys_ptrace", "--inh-caps", "-sys_ptrace"]
            done = subprocess.run([*without, "readlink", f"{proc}/exe"], check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            self.assertEqual((done.returncode, done.stdout), (1, b""))

    def test_descriptors(self):
        """Three to /dev/null, the FUSE device, and what the loop waits for."""
        with Mount(enabled="Y") as mount:
            targets = sorted(os.readlink(f"/proc/{mount.pid}/fd/{number}")
                             for number in os.listdir(f"/proc/{mount.pid}/fd"))
            known = {"/dev/null", "/dev/fuse", "anon_inode:[eventfd]", "anon_inode:[signalfd]"}
            others = [target for target in targets
                      if target not in known and not target.startswith("socket:")]
            self.assertEqual(others, [])
            self.assertEqual(targets.count("/dev/null"), 3)
            self.assertLessEqual(len(targets), 8)

    def test_systemd_descriptors_are_closed(self):
        """LISTEN_FDS begins at 3; nothing of it is ours."""
        reading, writing = os.pipe()
        mount, before = Mount(), daemons()
        self.addCleanup(mount.clean)
        done = subprocess.run([BINARY, *mount.arguments()], timeout=10, check=False,
                              pass_fds=(writing,), stderr=subprocess.PIPE,
                              env={**os.environ, "LISTEN_FDS": "1", "LISTEN_PID": "1"})
        os.close(writing)
        mount.pids = daemons() - before
        self.assertEqual(done.returncode, 0, done.stderr)
        os.set_blocking(reading, False)
        self.assertEqual(os.read(reading, 1), b"", "the other end is still open")
        os.close(reading)
        mount.stop()

    def test_files_that_it_makes_are_roots_alone(self):
        root = tree(MACHINE)
        with Mount(ops="page_idle", rootfs=root, enabled="Y") as mount:
            run = os.path.join(root, "run/damon-statfs")
            self.assertEqual(os.stat(run).st_mode & 0o777, 0o700)
            self.assertIn("page_idle.lock", os.listdir(run))
            for name in os.listdir(run):
                self.assertEqual(os.stat(os.path.join(run, name)).st_mode & 0o777, 0o600)
            self.assertEqual(mount.read(), b"Y\n")

    def test_a_crash_leaves_no_core(self):
        """The process that has started it would allow one of any size."""
        mount = Mount()
        self.addCleanup(mount.clean)
        child = os.fork()
        if child == 0:
            resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            os.execv(BINARY, [BINARY, "-f", *mount.arguments()])
        mount.pids = {child}
        wait_for(lambda: mountinfo(mount.path), 5, "the mount")
        self.assertEqual(mount.read(), b"N\n")
        mount.kill(signal.SIGABRT)
        status = os.waitpid(child, 0)[1]
        self.assertEqual((os.WTERMSIG(status), os.WCOREDUMP(status)), (signal.SIGABRT, False))
        self.assertEqual(calls.outcome(os.statvfs, mount.path), "ENOTCONN")
