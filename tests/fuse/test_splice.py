# SPDX-License-Identifier: GPL-2.0-or-later
"""Every way to read a file gives its whole and newest text, or an errno.

What can go through the page cache (splice, private mappings) does since Linux 6.5, and is refused there.
"""
import errno
import fcntl
import mmap
import os
import shutil
import signal
import subprocess
import unittest

import calls
import reading_storm
from processes import wait_for
from read_ways import CACHED, held_attempts, missing_calls, new_attempts, program_attempts
from support import BANDWIDTH, ENABLED, FAST, IDLE, MountCase, reap, spawn

GROWING = {**FAST, "abi": "7.2", "sim": "1G@never", "enabled": "Y"}
# Before Linux 6.5 FUSE read past the page cache for all of CACHED but mappings.
HAS_PAGE_CACHE = tuple(map(int, os.uname().release.split(".")[:2])) >= (6, 5)
CACHED_KINDS = ("errno",) if HAS_PAGE_CACHE else ("whole", "errno")
LONG_MS = 100  # the number has a digit more than after a restart


def touch(path, protection):
    """The first access of a private mapping, in a process of its own."""
    with mmap.mmap(os.open(path, os.O_RDONLY), mmap.PAGESIZE, mmap.MAP_PRIVATE, protection) as mapped:
        os._exit(mapped[0] == 0)


class Newest(MountCase):
    """The text grows with the idle time and shrinks when monitoring is switched on anew."""
    options = GROWING

    def setUp(self):
        self.path = self.mount.file(IDLE)
        self.held = self.opened(IDLE)
        os.pread(self.held, 8192, 0)
        self.truth = self.opened(IDLE)

    def idle_ms(self):
        return reading_storm.idle_ms(reading_storm.newest(self.truth))

    def make_short(self):
        """The first snapshot after a restart, which is short unless the machine is too busy."""
        self.make_long()
        self.mount.write(b"N")
        last = self.idle_ms()
        self.mount.write(b"Y")
        wait_for(lambda: self.idle_ms() != last, what="short text")

    def make_long(self):
        wait_for(lambda: self.idle_ms() >= LONG_MS, what="long text")

    def check(self, attempts, cached):
        """Each reading lies between two others and is whole; by what may use the page cache it is of
        the kinds `cached`."""
        before = reading_storm.newest(self.truth)
        for attempt in attempts:
            with self.subTest(attempt.name):
                kind, answer, before = reading_storm.attempt(attempt, self.truth, before)
                self.assertIn(kind, cached if attempt.errno else ("whole",), answer)

    def check_short_and_long(self, attempts, cached=CACHED_KINDS):
        for change in (self.make_short, self.make_long) * 2:
            change()
            self.check(attempts, cached)

    def test_calls_on_a_new_descriptor(self):
        self.check_short_and_long(new_attempts(self.path))

    def test_calls_on_a_held_descriptor(self):
        self.check_short_and_long(held_attempts(self.held))

    def test_programs(self):
        self.check_short_and_long(program_attempts(self.path, self.held))

    def test_calls_on_a_descriptor_made_direct(self):
        """Refused by open(2), O_DIRECT can be set later; splice(2) then reads past the page cache."""
        fcntl.fcntl(self.held, fcntl.F_SETFL, os.O_DIRECT)
        self.check_short_and_long(held_attempts(self.held), ("whole", "errno"))

    def test_only_what_the_kernel_lacks_is_left_out(self):
        missing = missing_calls()
        self.assertEqual([name for name in missing if not name.startswith(("AIO", "io_uring"))], [])
        if missing:
            self.skipTest(f"not possible here: {missing}")

    def test_beside_each_other(self):
        counts, examples = reading_storm.storm(self.mount.path, seconds=2.0)
        self.assertGreater(sum(row["whole"] for row in counts.values()), 100, counts)
        self.assertEqual(reading_storm.wrong(counts), 0, examples)

    def test_splice_does_not_count_as_a_reading(self):
        """A refused READ leaves the text that a descriptor is being read in."""
        self.make_long()
        text = os.pread(self.held, 7, 0)
        shown = self.idle_ms()
        if calls.outcome(CACHED["splice"][0], self.held) != "EINVAL":
            self.skipTest("this kernel does not splice through the page cache")
        wait_for(lambda: self.idle_ms() > shown, what="next snapshot")
        text += os.pread(self.held, 8192, 7)
        self.assertLessEqual(reading_storm.idle_ms(text), shown)

    def test_private_mapping_is_a_bus_error(self):
        for protection in (mmap.PROT_READ, mmap.PROT_READ | mmap.PROT_WRITE):
            with self.subTest(protection=protection):
                self.assertEqual(reap(spawn(touch, self.path, protection), 5), -signal.SIGBUS)

    def test_shared_mapping_is_refused_after_splice_too(self):
        calls.outcome(CACHED["splice"][0], self.held)
        answer = calls.outcome(mmap.mmap, self.held, 4096, mmap.MAP_SHARED, mmap.PROT_READ)
        self.assertEqual(answer, "ENODEV")


class Size(MountCase):
    """A file of two characters was read; the size that the kernel knows stays a page."""
    options = {**FAST, "abi": "7.2", "sim": "64M@1ms"}

    def setUp(self):
        self.mount.write(b"N")
        self.held = self.opened(ENABLED)
        for way, code in CACHED.values():
            answer = calls.outcome(way, self.held)
            self.assertIn(answer, (errno.errorcode[code],) if HAS_PAGE_CACHE else ("ok", errno.errorcode[code]))
        os.posix_fadvise(self.held, 0, 4096, os.POSIX_FADV_WILLNEED)

    def test_copies_end_where_the_text_ends(self):
        for program in ("cp", "install"):
            with self.subTest(program):
                copy = os.path.join(self.mount.root, program)
                subprocess.run([program, self.mount.file(ENABLED), copy], check=True, timeout=10)
                with open(copy, "rb") as stream:
                    self.assertEqual(stream.read(), b"N\n")

    def test_stat_seek_and_sync(self):
        self.assertEqual(os.lseek(self.held, 0, os.SEEK_END), 4096)
        self.assertEqual(os.stat(self.mount.file(ENABLED)).st_size, 4096)
        self.assertEqual(calls.outcome(os.fsync, self.held), "ok")

    def test_cmp(self):
        done = subprocess.run(["cmp", self.mount.file(ENABLED), "-"], input=b"N\n", timeout=10,
                              check=False)
        self.assertEqual(done.returncode, 0)

    @unittest.skipUnless(shutil.which("busybox"), "needs busybox")
    def test_text_that_was_two_characters_long(self):
        """The bandwidth is 0 at first; busybox gets what follows, too."""
        path, truth = self.mount.file(BANDWIDTH), self.opened(BANDWIDTH)
        busybox = lambda: subprocess.run(["busybox", "cat", path], stdout=subprocess.PIPE,
                                         check=True, timeout=10).stdout
        self.assertTrue(busybox().endswith(b"\n"))
        self.mount.write(b"Y")
        wait_for(lambda: len(reading_storm.newest(truth)) > 2, what="bandwidth")
        self.mount.write(b"N")
        self.assertEqual(busybox(), reading_storm.newest(truth))

    def test_copy_between_two_of_the_files(self):
        """Some text or an errno; never a write of what another file was."""
        target = self.opened(ENABLED, os.O_RDWR)
        source = self.opened(IDLE)
        self.assertIn(calls.outcome(os.copy_file_range, source, target, 4096, 0), ("EINVAL", "EXDEV"))
        self.assertEqual(self.mount.read(), b"N\n")

    def test_copy_file_range_to_another_filesystem(self):
        target = os.open(os.path.join(self.mount.root, "copy"), os.O_RDWR | os.O_CREAT, 0o600)
        self.addCleanup(os.close, target)
        self.assertEqual(calls.outcome(os.copy_file_range, self.held, target, 100, 0), "EXDEV")

    def test_reading_through_overlayfs(self):
        upper, work, merged = (os.path.join(self.mount.root, name)
                               for name in ("upper", "work", "merged"))
        for directory in (upper, work, merged):
            os.mkdir(directory)
        options = f"lowerdir={self.mount.path},upperdir={upper},workdir={work}"
        done = subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", merged],
                              stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            self.skipTest(f"overlayfs: {done.stderr.decode()}")
        self.addCleanup(calls.umount, merged)
        held = os.open(os.path.join(merged, ENABLED), os.O_RDONLY)
        self.addCleanup(os.close, held)
        for attempt in new_attempts(os.path.join(merged, ENABLED)) + held_attempts(held):
            with self.subTest(attempt.name):
                answer = calls.outcome(lambda read=attempt.read: self.assertEqual(read(), b"N\n"))
                wanted = errno.errorcode[attempt.errno] if attempt.errno else "ok"
                self.assertEqual(answer, wanted)
