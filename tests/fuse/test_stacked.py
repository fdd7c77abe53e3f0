# SPDX-License-Identifier: GPL-2.0-or-later
"""Another program has mounted over the mount, moved it or bound it elsewhere before the daemon ends.

The daemon takes its own file system off everywhere, and never takes what is another's.
"""
import os
import signal
import subprocess
import unittest

import calls
from support import Foreground, alive, mountinfo, new_directory, wait_for

MS_BIND, MS_MOVE = 1 << 12, 1 << 13
MS_PRIVATE, MS_SHARED = 1 << 18, 1 << 20


def mount(source, target, kind=None, flags=0):
    calls.checked(calls.libc.mount(os.fsencode(source), os.fsencode(target),
                                   kind and os.fsencode(kind), flags, None))


def kinds_at(path):
    """The file system types mounted there, the oldest first."""
    return [line[line.index("-") + 1] for line in mountinfo(path)]


class Stacked(unittest.TestCase):
    """`base` is a tmpfs of its own, so that its mounts can be private or shared."""

    def setUp(self):
        self.base = new_directory("stacked")
        mount("base", self.base, "tmpfs")
        self.addCleanup(calls.umount, self.base, calls.MNT_DETACH)
        mount("none", self.base, None, MS_PRIVATE)
        for name in ("at", "away", "other"):
            os.mkdir(os.path.join(self.base, name))
        self.at, self.away, self.other = (os.path.join(self.base, name)
                                          for name in ("at", "away", "other"))
        with open(os.path.join(self.other, "kept"), "w"):
            pass

    def ended(self, change, number=signal.SIGTERM):
        """Ends a daemon after a change of the mounts; its log."""
        with Foreground(path=self.at, enabled="Y") as daemon:
            change()
            status, log = daemon.end(number)
            self.assertEqual(status, 0, log)
            daemon.path = os.path.join(self.base, "nothing")  # what is at the path is to stay there
        return log

    def cover(self):
        """A file system with a file in it."""
        mount("precious", self.at, "tmpfs")
        with open(os.path.join(self.at, "data"), "w", encoding="ascii") as stream:
            stream.write("kept")

    def is_covered(self):
        self.assertEqual(kinds_at(self.at), ["tmpfs"])
        with open(os.path.join(self.at, "data"), encoding="ascii") as stream:
            self.assertEqual(stream.read(), "kept")
        calls.umount(self.at)

    def test_another_file_system_over_it(self):
        for flags in (MS_PRIVATE, MS_SHARED):
            mount("none", self.base, None, flags)
            for number in (signal.SIGTERM, signal.SIGHUP):
                with self.subTest(flags=flags, signal=number.name):
                    self.ended(self.cover, number)
                    self.is_covered()

    def test_two_file_systems_over_it(self):
        def change():
            mount("below", self.at, "tmpfs")
            self.cover()
        self.ended(change)
        self.assertEqual(kinds_at(self.at), ["tmpfs", "tmpfs"])
        calls.umount(self.at)
        self.assertEqual(mountinfo(self.at)[0][-2], "below")
        calls.umount(self.at)

    def test_a_file_system_with_another_one_in_it(self):
        inside = os.path.join(self.at, "inside")

        def change():
            self.cover()
            os.mkdir(inside)
            mount("inner", inside, "tmpfs")
        self.ended(change)
        self.assertEqual(kinds_at(inside), ["tmpfs"])
        calls.umount(inside)
        self.is_covered()

    def test_a_directory_bound_over_it(self):
        for flags in (MS_PRIVATE, MS_SHARED):
            mount("none", self.base, None, flags)
            with self.subTest(flags=flags):
                self.ended(lambda: mount(self.other, self.at, None, MS_BIND))
                self.assertEqual((kinds_at(self.at), os.listdir(self.at)), (["tmpfs"], ["kept"]))
                calls.umount(self.at)

    def test_a_file_is_held_open_in_what_is_over_it(self):
        """A copy of the mount is as good: the descriptor goes on."""
        held = []

        def change():
            self.cover()
            held.append(os.open(os.path.join(self.at, "data"), os.O_RDONLY))
        self.ended(change)
        self.assertEqual(os.read(held[0], 10), b"kept")
        os.close(held[0])
        self.is_covered()

    def test_bound_over_itself(self):
        for flags in (MS_PRIVATE, MS_SHARED):
            mount("none", self.base, None, flags)
            with self.subTest(flags=flags):
                self.ended(lambda: mount(self.at, self.at, None, MS_BIND))
                self.assertEqual(mountinfo(self.at), [])

    def test_moved(self):
        self.ended(lambda: mount(self.at, self.away, None, MS_MOVE))
        self.assertEqual((mountinfo(self.at), mountinfo(self.away)), ([], []))

    def test_moved_and_another_file_system_where_it_was(self):
        def change():
            mount(self.at, self.away, None, MS_MOVE)
            self.cover()
        self.ended(change)
        self.assertEqual(mountinfo(self.away), [])
        self.is_covered()

    def test_moved_and_another_file_system_over_it(self):
        def change():
            mount(self.at, self.away, None, MS_MOVE)
            mount("precious", self.away, "tmpfs")
        self.ended(change)
        self.assertEqual((mountinfo(self.at), kinds_at(self.away)), ([], ["tmpfs"]))
        calls.umount(self.away)

    def test_bound_elsewhere(self):
        for flags in (MS_PRIVATE, MS_SHARED):
            mount("none", self.base, None, flags)
            with self.subTest(flags=flags):
                self.ended(lambda: mount(self.at, self.away, None, MS_BIND))
                self.assertEqual((mountinfo(self.at), mountinfo(self.away)), ([], []))

    def test_another_daemon_over_it(self):
        """The other one goes on, for who has opened a file and who opens one, and ends as ever."""
        with Foreground(path=self.at) as below:
            subprocess.run(["mount", "-t", "tmpfs", "between", self.at], check=True)
            with Foreground(path=self.away, source="above", enabled="Y") as above:
                mount(self.away, self.at, None, MS_MOVE)
                above.path = self.at
                descriptor = above.open()
                status, log = below.end()
                self.assertEqual(status, 0, log)
                self.assertEqual({line[-2] for line in mountinfo(self.at)}, {"between", "above"})
                self.assertEqual((os.read(descriptor, 10), above.read()), (b"Y\n", b"Y\n"))
                os.close(descriptor)
                self.assertEqual(above.end()[0], 0)
                self.assertEqual(kinds_at(self.at), ["tmpfs"])
                calls.umount(self.at)

    def test_a_parent_is_covered(self):
        """What cannot be reached stays, and that is told; nothing of another's goes."""
        log = self.ended(lambda: mount("over", self.base, "tmpfs"))
        self.assertIn(f"{self.at}: something else is mounted over it", log)
        self.assertEqual([line[-2] for line in mountinfo(self.base)], ["base", "over"])
        calls.umount(self.base)
        calls.umount(self.at, calls.MNT_DETACH)

    def test_umount_of_the_last_one_ends_it(self):
        with Foreground(path=self.at) as daemon:
            mount(self.at, self.away, None, MS_BIND)
            calls.umount(self.at)
            self.assertTrue(alive(daemon.pid))
            with open(os.path.join(self.away, "enabled"), "rb") as stream:
                self.assertEqual(stream.read(), b"N\n")
            calls.umount(self.away)
            wait_for(lambda: daemon.process.poll() is not None, 5, "the end")
            self.assertEqual(daemon.process.returncode, 0, daemon.log())
