# SPDX-License-Identifier: GPL-2.0-or-later
"""Paths with every kind of byte in them: what reaches the log, the service manager and the terminal stays one
line of printable text, and the mount is still found where it is.
"""
import os
import signal
import subprocess
import unittest

import calls
from support import Foreground, Mount, mountinfo, new_directory, run_daemon, wait_for
from test_supervision import Manager

FORGED = "m\nMAINPID=1\nSTOPPING=1\nSTATUS=fine"
TERMINAL = "m\x1b[2J\x7f\u009b31m\u202etxt.\u2066"
BLANKS = "a\rb\vc\fd\u0085e"
NAMES = (FORGED, TERMINAL, BLANKS, "back\\slash \\040", "größe 内存", os.fsdecode(b"\xff\xfe"))


def odd_directory(name):
    path = os.path.join(new_directory("odd"), name)
    os.mkdir(path)
    return path


def escaped(path):
    """What the program makes of a path: what is not printable in hexadecimal."""
    return "".join(char if char.isprintable() else "".join(f"\\x{byte:02x}" for byte in os.fsencode(char))
                   for char in path)


def in_json(path):
    """The same after JSON, which has no bytes but text."""
    return escaped(os.fsencode(path).decode(errors="replace"))


class Lines(unittest.TestCase):
    def assert_printable(self, text):
        for line in text.split("\n"):
            self.assertTrue(line.isprintable(), ascii(line))

    def test_the_log(self):
        for name in NAMES:
            with self.subTest(ascii(name)):
                path = odd_directory(name)
                with Foreground(path=path) as mount:
                    mount.kill(signal.SIGUSR1)
                    wait_for(lambda: "cpu_percent: " in mount.log(), 5, "the status block")
                    log = mount.end()[1]
                self.assert_printable(log)
                for line in log.splitlines():
                    self.assertTrue(line.startswith("damon-statfs: "), ascii(line))
                self.assertIn(f"mounted on {escaped(path)}", log)
                self.assertIn(f"mountpoint: {in_json(path)}\n", log)

    def test_the_service_manager(self):
        for name in NAMES:
            with self.subTest(ascii(name)):
                manager = Manager()
                self.addCleanup(manager.socket.close)
                with Foreground(path=odd_directory(name), env={"NOTIFY_SOCKET": manager.name}) as mount:
                    manager.wait("READY=1")
                    mount.write(b"Y")
                    manager.wait("monitoring is on")
                    heard = list(manager.heard)
                self.assertEqual([line for line in heard if not line.startswith("STATUS=mounted on ")],
                                 ["READY=1", f"MAINPID={mount.pid}"])
                self.assert_printable("\n".join(heard))

    def test_status(self):
        for name in NAMES:
            with self.subTest(ascii(name)), Mount(path=odd_directory(name)) as mount:
                done = run_daemon("--status", mount.path)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assert_printable(done.stdout)
                self.assertIn(f"mountpoint: {in_json(mount.path)}\n", done.stdout)
                self.assertTrue(run_daemon("--status=json", mount.path).stdout.isascii())

    def test_errors_and_the_probe(self):
        for name in NAMES:
            for arguments in (["--status", f"/nonexistent/{name}"], ["-o", f"ops={name}", "/mnt"],
                              ["-o", "ops=sim,sim=1G@1s", f"/nonexistent/{name}"], [f"--{name}"],
                              ["--probe", "-o", f"rootfs=/nonexistent/{name}"]):
                with self.subTest(ascii(arguments)):
                    done = run_daemon(*arguments)
                    self.assert_printable(done.stdout + done.stderr)
                    self.assertLessEqual(done.stderr.count("\n"), 1, ascii(done.stderr))


class Found(unittest.TestCase):
    def test_a_second_mount_is_refused(self):
        """Nothing goes on top, whatever bytes the kernel writes raw into its table of mounts."""
        for name in NAMES:
            with self.subTest(ascii(name)), Mount(path=odd_directory(name)) as mount:
                again = Mount(path=mount.path)
                again.begin()
                self.addCleanup(again.clean)
                self.assertEqual((again.start.returncode, len(mountinfo(mount.path))), (32, 1))
                self.assertIn("already mounted there", again.start.stderr)

    def test_a_dead_one_is_replaced(self):
        path = odd_directory(BLANKS)
        with Mount(path=path) as mount:
            mount.kill(signal.SIGKILL)
            mount.wait_gone()
            with Mount(path=path):
                self.assertEqual(len(mountinfo(path)), 1)

    def test_a_foreign_source_with_such_bytes(self):
        """Other mounts are in the table, too."""
        other = odd_directory("other\v\fproc")
        subprocess.run(["mount", "-t", "tmpfs", "so\\urce\r\v", other], check=True)
        self.addCleanup(calls.umount, other)
        with Mount() as mount:
            self.assertEqual(run_daemon("--status", mount.path).returncode, 0)
