# SPDX-License-Identifier: GPL-2.0-or-later
"""The build option DAMON_STATFS_ENABLED_DEFAULT: a program that was built with it monitors from the start,
unless enabled=N is given. tests/fuse/CMakeLists.txt builds that program beside the one under test.
"""
import os
import unittest
from unittest import mock

from support import BINARY, Mount, is_sanitized, wait_for

PROGRAM = os.path.join(os.path.dirname(BINARY), "tests", "fuse", "enabled_default", "damon-statfs")


class EnabledByDefault(Mount):
    def begin(self):
        with mock.patch("support.BINARY", PROGRAM):
            super().begin()

    def threads(self):
        return len(os.listdir(f"/proc/{self.pid}/task"))


@unittest.skipIf(is_sanitized(), "the program with the option is built without sanitizers")
class EnabledDefault(unittest.TestCase):
    def setUp(self):
        self.assertTrue(os.path.exists(PROGRAM), f"{PROGRAM} is not built")

    def test_a_mount_without_enabled_monitors_from_the_start(self):
        with EnabledByDefault() as mount:
            wait_for(lambda: mount.read() == b"Y\n", 5, "monitoring without enabled=")
            mount.wait_snapshot()

    def test_enabled_n_wins(self):
        with EnabledByDefault(enabled="N") as mount:
            self.assertEqual(mount.read(), b"N\n")
            self.assertEqual(mount.threads(), 1)
