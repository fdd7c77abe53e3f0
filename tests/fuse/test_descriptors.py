# SPDX-License-Identifier: GPL-2.0-or-later
"""What uid 65534 gets with descriptors: those of others, O_PATH ones, and ways around the modes.

A descriptor that root has opened and handed on works, as in sysfs: the right was root's to give.
Nothing else may show a value or change a state, and after each test the state is checked.
"""
import array
import ctypes
import os
import signal
import socket
import time

import calls
from support import ENABLED, FILES, IDLE, NOBODY, MountCase, alive, reap, spawn
from test_status import ask

PIDFD_OPEN, PIDFD_GETFD, OPEN_BY_HANDLE, PTRACE_ATTACH = 434, 438, 304, 16
CLONE_NEWUSER, CLONE_NEWNS, PR_SET_DUMPABLE = 0x10000000, 0x20000, 4
READ, WRITE, BOTH = os.O_RDONLY, os.O_WRONLY, os.O_RDWR


def as_nobody(call, *arguments):
    return calls.in_child(call, *arguments, uid=NOBODY)


def system_call(number, *arguments):
    return calls.checked(calls.libc.syscall(number, *map(ctypes.c_long, arguments)))


class Descriptors(MountCase):
    options = {"abi": "7.2"}

    def setUp(self):
        os.chmod(self.mount.path, 0o755)
        self.addCleanup(self.unchanged)

    def unchanged(self):
        self.assertTrue(alive(self.mount.pid))
        self.assertEqual((self.mount.read(ENABLED), len(os.listdir(self.mount.path))),
                         (b"N\n", len(FILES["7.2"])))
        for name in FILES["7.2"]:
            info = os.stat(self.mount.file(name))
            self.assertEqual((info.st_mode & 0o7777, info.st_uid, info.st_gid),
                             (0o600 if name == ENABLED else 0o400, 0, 0))

    def test_descriptors_of_the_daemon(self):
        proc = f"/proc/{self.mount.pid}"
        self.assertEqual(as_nobody(calls.outcome, os.listdir, f"{proc}/fd"), "EACCES")
        numbers = os.listdir(f"{proc}/fd")
        self.assertGreaterEqual({*numbers}, {"0", "1", "2", "3"})
        for number in numbers:
            for flags in (READ, WRITE, BOTH):
                self.assertEqual(as_nobody(calls.try_open, f"{proc}/fd/{number}", flags),
                                 "EACCES")
        for name in ("mem", "environ", "maps", "auxv", "fdinfo/0", "root/etc/passwd", "cwd/etc",
                     "exe", "io", "stack", "syscall"):
            with self.subTest(name):
                self.assertIn(as_nobody(calls.try_open, f"{proc}/{name}", READ),
                              ("EACCES", "EPERM"))

    def test_descriptors_of_a_root_reader(self):
        """A privileged reader has the files open, which does not help unprivileged users."""
        held = [self.mount.open(name) for name in FILES["7.2"]]
        held.append(self.mount.open(ENABLED, BOTH))
        reader = spawn(time.sleep, 30)  # inherits them
        for descriptor in held:
            os.close(descriptor)
        try:
            for descriptor in held:
                for flags in (READ, WRITE, BOTH):
                    path = f"/proc/{reader}/fd/{descriptor}"
                    self.assertEqual(as_nobody(calls.try_open, path, flags), "EACCES")
            self.assertEqual(as_nobody(calls.outcome, os.listdir, f"/proc/{reader}/fd"), "EACCES")
            steal = lambda: system_call(PIDFD_GETFD, system_call(PIDFD_OPEN, reader, 0), held[0],
                                        0)
            self.assertEqual(as_nobody(calls.outcome, steal), "EPERM")
        finally:
            os.kill(reader, signal.SIGKILL)
            reap(reader, 5)

    def path_descriptor(self, path):
        descriptor = os.open(path, os.O_PATH)
        self.addCleanup(os.close, descriptor)
        return descriptor

    def misuse(self, descriptor):
        """Everything that an O_PATH descriptor of a file could be tried for."""
        own = f"/proc/self/fd/{descriptor}"
        return [calls.outcome(os.read, descriptor, 100), calls.outcome(os.write, descriptor, b"Y"),
                calls.outcome(os.pread, descriptor, 100, 0), calls.outcome(ask, descriptor),
                calls.outcome(os.fchmod, descriptor, 0o666),
                calls.try_open(own, READ), calls.try_open(own, WRITE), calls.try_open(own, BOTH),
                calls.try_open(own, 3), calls.outcome(os.chmod, own, 0o666),
                calls.outcome(os.chown, own, NOBODY, NOBODY),
                calls.outcome(os.truncate, own, 0)]

    def test_path_descriptors(self):
        """Opened by the user, inherited from root, or got from root through a socket."""
        expected = ["EBADF"] * 5 + ["EACCES"] * 4 + ["EPERM"] * 2 + ["EACCES"]
        for name in FILES["7.2"]:
            path = self.mount.file(name)
            with self.subTest(name):
                self.assertEqual(as_nobody(lambda: self.misuse(os.open(path, os.O_PATH))), expected)
                inherited = self.path_descriptor(path)
                self.assertEqual(as_nobody(self.misuse, inherited), expected)
                ours, theirs = socket.socketpair()
                ours.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                       array.array("i", [inherited]))])
                received = lambda: self.misuse(socket.recv_fds(theirs, 1, 1)[1][0])
                self.assertEqual(as_nobody(received), expected)
                ours.close()
                theirs.close()

    def test_an_inherited_descriptor_gives_no_more_than_it_has(self):
        """Read-only stays so, and opening it anew asks for the user's own rights."""
        descriptor = self.opened(ENABLED, READ)
        own = f"/proc/self/fd/{descriptor}"

        def more():
            return [os.pread(descriptor, 10, 0).decode(),
                    calls.outcome(os.pwrite, descriptor, b"Y", 0),
                    calls.outcome(os.ftruncate, descriptor, 0),
                    calls.outcome(os.fchmod, descriptor, 0o666),
                    *[calls.try_open(own, flags) for flags in (READ, WRITE, BOTH)],
                    calls.outcome(ask, descriptor)]
        self.assertEqual(as_nobody(more), ["N\n", "EBADF", "EINVAL", "EPERM", "EACCES", "EACCES",
                                           "EACCES", "ENOTTY"])

    def test_a_directory_descriptor(self):
        """Inherited, of the mount or of what is above: names are looked up with the user's rights."""
        for path, prefix in ((self.mount.path, ""),
                             (os.path.dirname(self.mount.path),
                              os.path.basename(self.mount.path) + "/")):
            for kind, refusal in ((READ | os.O_DIRECTORY, "ENOTTY"), (os.O_PATH, "EBADF")):
                directory = os.open(path, kind)
                self.addCleanup(os.close, directory)
                for name in FILES["7.2"]:
                    answers = as_nobody(lambda: [
                        calls.outcome(os.open, prefix + name, flags, dir_fd=directory)
                        for flags in (READ, WRITE, BOTH)])
                    self.assertEqual(answers, ["EACCES"] * 3)
                self.assertEqual(as_nobody(calls.outcome, ask, directory), refusal)

    def test_file_handles(self):
        descriptor = os.open(self.mount.path, READ)
        self.addCleanup(os.close, descriptor)
        handle = ctypes.create_string_buffer(b"\x0c\0\0\0\x81\0\0\0" + bytes(128))
        forged = lambda: system_call(OPEN_BY_HANDLE, descriptor, ctypes.addressof(handle), READ)
        self.assertEqual(as_nobody(calls.outcome, forged), "EPERM")

    def test_the_ioctl_needs_an_open_file(self):
        answer = as_nobody(lambda: [calls.try_open(self.mount.file(IDLE), READ),
                                    calls.outcome(ask, os.open(self.mount.path, READ)),
                                    calls.outcome(ask, os.open(self.mount.file(IDLE),
                                                               os.O_PATH))])
        self.assertEqual(answer, ["EACCES", "ENOTTY", "EBADF"])

    def test_the_daemon_itself(self):
        pid = self.mount.pid
        answers = as_nobody(lambda: [
            calls.outcome(os.kill, pid, number) for number in
            (signal.SIGTERM, signal.SIGUSR1, signal.SIGKILL, signal.SIGSTOP)] + [
                calls.outcome(lambda: calls.checked(calls.libc.ptrace(PTRACE_ATTACH, pid, 0, 0))),
                calls.outcome(calls.umount, self.mount.path),
                calls.outcome(calls.umount, self.mount.path, calls.MNT_FORCE)])
        self.assertEqual(answers, ["EPERM"] * 7)

    def test_root_of_a_user_namespace(self):
        """All capabilities there are none over files of the root outside."""
        path = self.mount.path

        def inside():
            calls.libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # else /proc/self is root's
            if calls.libc.unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0:
                return "no user namespaces"
            for name, text in (("setgroups", "deny"), ("uid_map", f"0 {NOBODY} 1"),
                               ("gid_map", f"0 {NOBODY} 1")):
                with open(f"/proc/self/{name}", "w") as stream:
                    stream.write(text)
            opened = [calls.try_open(os.path.join(path, name), flags)
                      for name in FILES["7.2"] for flags in (READ, WRITE, BOTH)]
            return [os.geteuid(), sorted(set(opened)),
                    calls.outcome(os.chmod, os.path.join(path, ENABLED), 0o666),
                    calls.outcome(calls.umount, path)]
        answer = as_nobody(inside)
        if isinstance(answer, str):
            self.skipTest(answer)
        self.assertEqual(answer[:3], [0, ["EACCES"], "EPERM"])
        self.assertIn(answer[3], ("EINVAL", "EPERM"))
