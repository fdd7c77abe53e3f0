# SPDX-License-Identifier: GPL-2.0-or-later
"""What the command line asks for is done, or refused: no word of -o is a flag, and output that could not be
written is a failure."""
import subprocess
import unittest

import support
from support import BANDWIDTH, BINARY, ENABLED, Foreground, Mount, daemons, mountinfo, new_directory

USELESS = "min_nr_regions=: no effect with estimator=pages"


class Words(unittest.TestCase):
    def test_empty_words_are_nothing(self):
        for words in ("", ",", "ro,,noatime", ",rw,"):
            mount = Mount()
            options = mount.arguments()[1]
            with self.subTest(words):
                before = daemons()
                done = support.run_daemon("-o", words, "-o", f",{options},", "source", mount.path)
                mount.pids = daemons() - before
                self.addCleanup(mount.clean)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertNotIn("ignored", done.stderr)
                self.assertEqual(len(mountinfo(mount.path)), 1)
                mount.stop()

    def test_as_the_service_starts_it_without_options(self):
        """OPTIONS= in /etc/default/damon-statfs; here with what keeps it off this machine's DAMON."""
        mount = Mount(ops="page_idle")
        before = daemons()
        done = support.run_daemon("-o", "", "-o", mount.arguments()[1], "damon-statfs", mount.path)
        mount.pids = daemons() - before
        self.addCleanup(mount.clean)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(mount.read(), b"N\n")
        mount.stop()

    def test_a_word_that_looks_like_a_flag(self):
        for word in ("-V", "--version", "-h", "--help", "-f", "-d", "--probe", "--status", "-"):
            mount = Mount()
            self.addCleanup(mount.clean)
            with self.subTest(word):
                done = support.run_daemon("-o", f"ro,{word}", *mount.arguments())
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(f"damon-statfs: {word}: unknown option", done.stderr)
                self.assertEqual(mountinfo(mount.path), [])

    def test_enabled_takes_what_the_file_takes(self):
        for word, state in (("1", b"Y\n"), ("on", b"Y\n"), ("true", b"Y\n"), ("y", b"Y\n"),
                            ("0", b"N\n"), ("off", b"N\n"), ("no", b"N\n")):
            with self.subTest(word), Mount(enabled=word) as mount:
                self.assertEqual(mount.read(ENABLED), state)
                mount.write(word.encode())
                self.assertEqual(mount.read(ENABLED), state)


class Actions(unittest.TestCase):
    def test_two_at_once(self):
        path = new_directory("mnt")
        for arguments, named in ((("--probe", "--status", path), "--status: not together with --probe"),
                                 (("--status=json", path, "--probe=json"), "--probe=json"),
                                 (("--version", "--help"), "--help"),
                                 (("--help", "--probe"), "--probe")):
            with self.subTest(arguments):
                done = support.run_daemon(*arguments)
                self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (1, "", 1))
                self.assertIn(named, done.stderr)


class FullDisk(unittest.TestCase):
    def fails(self, *arguments):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([BINARY, *arguments], stdout=full, stderr=subprocess.PIPE, timeout=10,
                                  check=False, text=True)
        self.assertEqual((done.returncode, done.stderr),
                         (1, "damon-statfs: standard output: No space left on device\n"))

    def test_what_is_printed_without_a_mount(self):
        root = f"rootfs={new_directory('root')}"
        for arguments in (("--help",), ("-h",), ("--version",), ("-V",), ("--probe", "-o", root),
                          ("--probe=json", "-o", root)):
            with self.subTest(arguments):
                self.fails(*arguments)

    def test_status(self):
        with Mount() as mount:
            self.fails("--status", mount.path)
            self.fails("--status=json", mount.path)


class Useless(unittest.TestCase):
    def test_an_attribute_without_effect_is_named_once(self):
        with Foreground(min_nr_regions=20, enabled="Y") as mount:
            mount.write(b"N")
            mount.write(b"Y")
            self.assertEqual(mount.log().count(USELESS), 1, mount.log())

    def test_an_attribute_with_effect_is_not(self):
        with Foreground(min_nr_regions=20, estimator="regions", enabled="Y") as mount:
            self.assertNotIn("no effect", mount.log())

    def test_too_many_regions(self):
        mount = Mount(min_nr_regions=2147483648, max_nr_regions=2147483648, estimator="regions",
                      sim="64G@never")
        done = support.run_daemon(*mount.arguments())
        self.addCleanup(mount.clean)
        self.assertEqual((done.returncode, mountinfo(mount.path)), (1, []))
        self.assertIn("from 3 to 100000", done.stderr)

    def test_as_many_regions_as_are_allowed(self):
        """And that takes 24 MiB, at 64 GiB."""
        with Mount(min_nr_regions=100000, max_nr_regions=100000, estimator="regions", enabled="Y",
                   sim="64G@never", max_cpu=100) as mount:
            with open(f"/proc/{mount.pid}/status") as stream:
                kib = next(int(line.split()[1]) for line in stream if line.startswith("VmRSS"))
            if not support.is_sanitized():
                self.assertLess(kib, 32 * 1024)
            self.assertEqual(mount.value(BANDWIDTH), 0)
