# SPDX-License-Identifier: GPL-2.0-or-later
"""fstab with x-systemd.automount: the first reader makes the mount that it then reads.

The daemon inspects its mountpoint before it mounts, and must not wait there for itself.
"""
import os
import signal
import subprocess
import unittest

import automount
import calls
from support import BINARY, Mount, daemons, mountinfo, wait_for
from test_fstab import HAS_FUSE_HELPER, NO_FUSE_HELPER, SBIN
from test_mount_helper import install_helper

ANSWER_SECONDS = 5
FORCED = ("env", "LIBMOUNT_FORCE_MOUNT2=always")  # see test_fstab


@unittest.skipIf(automount.refusal(), automount.refusal())
class FirstReader(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.helper = install_helper(cls)
        os.makedirs(SBIN, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", SBIN], check=True)
        cls.addClassCleanup(calls.umount, SBIN, calls.MNT_DETACH)
        os.symlink(BINARY, os.path.join(SBIN, os.path.basename(BINARY)))

    def automounted(self, *command):
        """An automount whose command gets the options and the mountpoint."""
        self.mount, self.before = Mount(enabled="Y"), daemons()
        self.addCleanup(self.mount.clean)
        words = self.mount.arguments()[1]
        started = automount.Automount(self.mount.path,
                                      [word.format(path=self.mount.path, root=self.mount.root,
                                                   words=words) for word in command])
        self.addCleanup(started.end)
        self.addCleanup(self.end_daemons)
        return started

    def running(self):
        return (daemons() | daemons("mount.damon-statfs")) - self.before

    def end_daemons(self):
        for pid in self.running():
            self.mount.kill(signal.SIGKILL, pid)
        wait_for(lambda: not self.running(), 5, "the end of all")

    def is_read(self, started):
        """A reader triggers the mount, is answered in time, and finds monitoring on."""
        reader = started.start()
        self.addCleanup(reader.wait, 5)
        self.addCleanup(reader.kill)
        status, text = started.mounted()
        self.assertEqual(status, 0, text)
        self.assertEqual(reader.communicate(timeout=ANSWER_SECONDS)[0], "Y\n")
        kinds = [line[line.index("-") + 1] for line in mountinfo(self.mount.path)]
        self.assertEqual(kinds, ["autofs", "fuse.damon-statfs"])
        self.mount.pids = self.running()
        self.assertEqual(len(self.mount.pids), 1)

    def lives(self, started):
        """Read, crashed and mounted again, ended by each way and read again."""
        self.is_read(started)
        self.mount.kill(signal.SIGKILL)
        self.mount.wait_gone()
        status, text = started.mount()
        self.assertEqual(status, 0, text)
        self.mount.pids = self.running()
        with started.start() as reader:
            self.assertEqual(reader.communicate(timeout=ANSWER_SECONDS)[0], "Y\n")
        self.mount.kill(signal.SIGTERM)
        self.mount.wait_gone()
        self.is_read(started)
        calls.umount(self.mount.path)
        self.mount.wait_gone()
        self.is_read(started)

    def test_the_daemon(self):
        self.lives(self.automounted(BINARY, "-o", "{words}", "none", "{path}"))

    def test_mount_of_the_type_fuse(self):
        if not HAS_FUSE_HELPER:
            self.skipTest(NO_FUSE_HELPER)
        program = os.path.basename(BINARY)
        self.lives(self.automounted(*FORCED, "mount", "-t", f"fuse.{program}", "none", "{path}",
                                    "-o", "{words}"))

    def test_mount_of_the_type_damon_statfs(self):
        self.lives(self.automounted(*FORCED, "mount", "-t", "damon-statfs", "none", "{path}", "-o",
                                    "{words}"))

    def test_a_failure_is_told(self):
        """The reader gets an errno, and the next one another attempt."""
        started = self.automounted(BINARY, "-o", "ops=page_idle,enabled=Y,rootfs={root}", "none",
                                   "{path}")
        for _ in range(2):
            with started.start() as reader:
                status, text = started.mounted()
                self.assertEqual((status, text.count("\n")), (32, 1), text)
                self.assertEqual(reader.wait(ANSWER_SECONDS), 1)
        self.assertEqual(len(mountinfo(self.mount.path)), 1)
