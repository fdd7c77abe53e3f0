# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad usage: exit 1, exactly one line naming the word, nothing mounted, nothing left running.

The good values at the edges are checked too, so that the validation is not just strict.
"""
import re
import unittest

import support
from support import Mount, daemons, mountinfo, new_directory

OPTIONS = ("ops", "enabled", "abi", "ram", "max_cpu", "sim", "kdamond", "seed", "sample_us",
           "aggr_us", "update_us", "min_nr_regions", "max_nr_regions", "access_bp", "aggrs",
           "min_sample_us", "max_sample_us", "refresh_ms", "estimator", "regions", "untracked")
BAD = (
    # options, then words (a|b) of which one must be in the message
    ({"ops": "bogus"}, "bogus"), ({"ops": ""}, "ops"), ({"ops": "SIM"}, "SIM"),
    ({"abi": "6.16"}, "6.16"), ({"abi": "7"}, "abi"), ({"abi": ""}, "abi"), ({"abi": "x"}, "abi"),
    ({"enabled": "maybe"}, "maybe"), ({"enabled": ""}, "enabled"), ({"enabled": "2"}, "enabled"),
    ({"sim": ""}, "sim"), ({"sim": "1G"}, "1G"), ({"sim": "@1s"}, "@1s"), ({"sim": "1G@"}, "1G@"),
    ({"sim": "1G@5"}, "1G@5|5"), ({"sim": "1G@abc"}, "abc"), ({"sim": "1X@1s"}, "1X"),
    ({"sim": "0@1s"}, "0@1s|sim"), ({"sim": "-1G@1s"}, "-1G"), ({"sim": "1G@-1s"}, "-1s"),
    ({"sim": "1G@0s"}, "0s"), ({"sim": "1G@1s+"}, "sim"), ({"sim": "+1G@1s"}, "sim"),
    ({"sim": "1G@1s++1G@1s"}, "sim"), ({"sim": "1G@1h"}, "1h"), ({"sim": "1G@1s@1s"}, "1s"),
    ({"sim": "99999999999999999999G@1s"}, "99999999999999999999G"), ({"sim": "1.5G@1s"}, "1.5G"),
    ({"sim": "18446744073709551615T@1s"}, "18446744073709551615T"),
    ({"sim": "1G@99999999999999999999s"}, "99999999999999999999s"),
    ({"sim": "9000000T@1s+9000000T@1s"}, "sim"),
    ({"ram": "foo"}, "foo"), ({"ram": ""}, "ram"), ({"ram": "5-3"}, "5-3"),
    ({"ram": "100-"}, "100-"),
    ({"ram": "-100"}, "-100"), ({"ram": "1-2-3"}, "1-2-3"), ({"ram": "0x1000-0x1000"}, "0x1000"),
    ({"ram": "4096-8192+"}, "ram"), ({"ram": "0-8192+4096-12288"}, "ram"),
    ({"ram": "8192-12288+0-4096"}, "ram"), ({"ram": "0-99999999999999999999999"}, "9999"),
    ({"ram": "all+biggest"}, "ram"),
    ({"ram": "0-4096"}, "ram=: has no effect with ops=sim"),
    ({"ops": "observe", "ram": "biggest"}, "ram=: has no effect with ops=observe"),
    ({"max_cpu": "0"}, "max_cpu"), ({"max_cpu": "-1"}, "max_cpu"), ({"max_cpu": "abc"}, "abc"),
    ({"max_cpu": ""}, "max_cpu"), ({"max_cpu": "1%x"}, "max_cpu"), ({"max_cpu": "nan"}, "max_cpu"),
    ({"max_cpu": "inf"}, "max_cpu"),
    ({"seed": "abc"}, "abc"), ({"seed": "-1"}, "seed"), ({"seed": ""}, "seed"),
    ({"seed": "18446744073709551616"}, "18446744073709551616"),
    ({"kdamond": "1"}, "ops=observe"), ({"kdamond": "0"}, "kdamond=0"),
    ({"kdamond": "abc"}, "kdamond=abc"), ({"kdamond": "99999999999"}, "kdamond=99999999999"),
    ({"kdamond": "2147483648"}, "kdamond=2147483648"), ({"kdamond": "kdamond.0"}, "kdamond.0"),
    ({"estimator": "page"}, "estimator=page"), ({"estimator": ""}, "regions"),
    ({"regions": "ours"}, "regions=ours"), ({"regions": ""}, "refined"),
    ({"regions": "kernel"}, "regions=kernel: only with estimator=regions"),
    ({"regions": "kernel", "estimator": "pages"}, "regions=kernel: only with estimator=regions"),
    ({"regions": "kernel", "ops": "auto", "estimator": "regions"}, "regions=kernel: not with ops=auto"),
    ({"regions": "kernel", "ops": "kdamond"}, "regions=kernel: ops=kdamond delivers regions"),
    ({"regions": "kernel", "ops": "damon_stat"}, "regions=kernel: ops=damon_stat delivers regions"),
    ({"regions": "kernel", "ops": "observe", "estimator": "regions"}, "ops=observe delivers regions"),
    ({"untracked": "no"}, "untracked=no"), ({"untracked": ""}, "exclude"),
    ({"untracked": "exclude", "estimator": "regions"}, "untracked=exclude"),
    ({"untracked": "exclude_unmapped", "estimator": "regions"}, "untracked=exclude_unmapped"),
    ({"ops": "damon_stat", "estimator": "pages"}, "ops=damon_stat delivers regions"),
    ({"ops": "observe", "estimator": "pages"}, "ops=observe delivers regions"),
    ({"ops": "observe", "untracked": "exclude_unmapped"}, "ops=observe delivers regions"),
    # what the kernel refuses
    ({"min_nr_regions": "2"}, "min_nr_regions"), ({"min_nr_regions": "0"}, "min_nr_regions"),
    ({"min_nr_regions": "100", "max_nr_regions": "99"}, "min_nr_regions|max_nr_regions"),
    ({"max_nr_regions": "9"}, "min_nr_regions|max_nr_regions"),
    ({"sample_us": "100001"}, "sample_us"),
    ({"sample_us": "4999"}, "sample_us"), ({"sample_us": "50000", "max_sample_us": "49999"},
                                           "sample_us"),
    ({"min_sample_us": "5001"}, "sample_us"), ({"aggr_us": "4999"}, "aggr_us|sample_us"),
    ({"min_sample_us": "9000", "max_sample_us": "8000", "sample_us": "8500"},
     "min_sample_us|max_sample_us"),
)
NUMBERS = ("sample_us", "aggr_us", "update_us", "min_nr_regions", "max_nr_regions", "access_bp",
           "aggrs", "min_sample_us", "max_sample_us", "refresh_ms")
GOOD = (
    {"min_nr_regions": "3", "max_nr_regions": "3"}, {"sample_us": "100000"}, {"aggrs": "0"},
    {"aggr_us": "5000"}, {"sample_us": "1", "aggrs": "0"}, {"sample_us": "0", "aggrs": "0"},
    {"sample_us": "100", "min_sample_us": "100"}, {"sample_us": "20000000", "aggr_us": "20000000",
                                                   "aggrs": "0"},
    {"min_sample_us": "9", "max_sample_us": "8", "aggrs": "0"}, {"min_sample_us": "5000",
                                                                 "max_sample_us": "5000"},
    {"max_cpu": "1"}, {"max_cpu": "100"}, {"seed": "0"}, {"seed": "18446744073709551615"},
    {"ram": "all"}, {"ops": "page_idle", "ram": "biggest"}, {"ops": "kdamond", "ram": "span"},
    {"ops": "page_idle", "ram": "0-4096"},
    {"ops": "page_idle", "ram": "0x0-0x100000+0x200000-0x300000"},
    {"sim": "4K@1us"}, {"sim": "1G@1ms+1M@2s+4T@never"},
    {"ops": "auto"}, {"ops": "page_idle"}, {"abi": "6.17"}, {"abi": "6.18"}, {"abi": "7.2"},
    {"refresh_ms": "0"}, {"refresh_ms": "86400000"}, {"update_us": "1000000"},
    {"regions": "refined"}, {"regions": "kernel", "estimator": "regions"},
    {"ops": "page_idle", "regions": "kernel", "estimator": "regions"},
    {"access_bp": "10000"}, {"max_nr_regions": "100000"},
)


class Bad(unittest.TestCase):
    def refused(self, arguments, word, path=None):
        before = daemons()
        done = support.run_daemon(*arguments)
        left = daemons() - before
        if left or (path and mountinfo(path)):
            mount = Mount(path=path)
            mount.pids = left
            mount.clean()
            self.fail("accepted" + f": {done.stderr}")
        lines = done.stderr.strip().splitlines()
        self.assertEqual((done.returncode, len(lines)), (1, 1), done.stderr)
        self.assertRegex(done.stderr, "|".join(map(re.escape, word.split("|"))))
        self.assertEqual(done.stdout, "")
        return done.stderr

    def test_values(self):
        for options, word in BAD:
            with self.subTest(options):
                mount = Mount(**options)
                self.refused(mount.arguments(), word, mount.path)

    @unittest.skipIf(support.is_sanitized(), "slow starts; the unit tests parse such values with a sanitizer")
    def test_numbers(self):
        for name in NUMBERS:
            for value in ("abc", "-5", "", "5x", "1e3", "0x", " 5", "99999999999999999999", "5.5"):
                with self.subTest(name, value=value):
                    mount = Mount(**{name: value})
                    self.refused(mount.arguments(), name, mount.path)

    def test_words_without_a_value(self):
        for name in OPTIONS:
            with self.subTest(name):
                mount = Mount(name)
                self.refused(mount.arguments(), name, mount.path)

    def test_bad_value_is_found_in_the_foreground_too(self):
        mount = Mount(abi="5.0")
        self.refused(["-f", *mount.arguments()], "5.0", mount.path)

    def test_command_lines(self):
        path = new_directory("mnt")
        nowhere = "MOUNTPOINT|mountpoint|mount point"
        for arguments, word in (([], nowhere), (["-o", "ops=sim"], nowhere), (["-z", path], "z"),
                                (["--bogus", path], "bogus"), ([path, "-o"], "-o"),
                                (["a", "b", path], "b|argument|" + path),
                                (["--probe=other"], "--probe=other"), (["--probe="], "--probe="),
                                (["--probe=JSON"], "--probe=JSON"), (["--probe", "json"], "json"),
                                (["--probe", "-o", "ops=bogus"], "bogus")):
            with self.subTest(arguments):
                self.refused(arguments, word, path)

    def test_the_message_says_what_is_allowed(self):
        for options, words in (({"ops": "bogus"}, ("auto", "page_idle", "sim")),
                               ({"abi": "6.16"}, ("6.17", "6.18", "7.2")),
                               ({"enabled": "maybe"}, ("Y", "N")),
                               ({"ram": "foo"}, ("all", "biggest", "span")),
                               ({"min_nr_regions": "2"}, ("3",))):
            with self.subTest(options):
                mount = Mount(**options)
                message = self.refused(mount.arguments(), words[0], mount.path)
                for word in words:
                    self.assertIn(word, message)


class Good(unittest.TestCase):
    @unittest.skipIf(support.is_sanitized(), "slow starts; the unit tests parse such values with a sanitizer")
    def test_values_at_the_edge(self):
        for options in GOOD:
            with self.subTest(options), Mount(**options) as mount:
                self.assertEqual(mount.read(), b"N\n")

    def test_help(self):
        done = support.run_daemon("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for name in OPTIONS:
            self.assertRegex(done.stdout, rf"\b{name}=")

    def test_version(self):
        done = support.run_daemon("--version")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"\Adamon-statfs \d+\.\d+[^\n]*\n\Z")
