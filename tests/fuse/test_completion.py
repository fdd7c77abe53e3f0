# SPDX-License-Identifier: GPL-2.0-or-later
"""bash completion, typed at a real bash on a terminal: with the bash-completion package and without, and with
the words of the line split at "=", as bash does by default, and not split."""
import os
import pty
import re
import select
import shutil
import signal
import time
import unittest

from support import Mount, new_directory

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../mount/completion/damon-statfs")
PACKAGE = "/usr/share/bash-completion/bash_completion"
PROMPT = "READY> "
SECONDS = 10  # for an answer of bash's
SETTINGS = """bind 'set bell-style none'; bind 'set show-all-if-ambiguous on'; bind 'set page-completions off'
bind 'set completion-query-items 0'; bind 'set enable-bracketed-paste off'; PS1='READY> '
damon-statfs() { printf 'LINE<%s>\\n' "$*"; }
"""


class Bash:
    """An interactive bash in an empty directory, with the completion loaded."""

    def __init__(self, settings):
        self.directory = new_directory("typed")
        for name in ("a_directory", "with blank"):
            os.mkdir(os.path.join(self.directory, name))
        with open(os.path.join(self.directory, "a_file"), "w", encoding="utf-8"):
            pass
        rc = os.path.join(self.directory, ".rc")
        with open(rc, "w", encoding="utf-8") as stream:
            stream.write(settings + SETTINGS)
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(self.directory)
            os.environ["TERM"] = "dumb"
            os.environ["COLUMNS"] = "2000"
            os.execvp("bash", ["bash", "--noprofile", "--rcfile", rc, "-i"])
        self.read_until(lambda said: said.endswith(PROMPT))

    def read_until(self, is_enough):
        text, end = "", time.monotonic() + SECONDS
        while not is_enough(text):
            if not select.select([self.terminal], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"bash said no more than {text!r}")
            text += os.read(self.terminal, 65536).decode(errors="replace")
        return text

    def completed(self, typed):
        """The line as it is after a TAB, executed."""
        os.write(self.terminal, f"{typed}\t\r".encode())
        text = self.read_until(lambda said: "LINE<" in said and said.endswith(PROMPT))
        return re.search(r"LINE<([^>]*)>", text).group(1).rstrip()

    def offered(self, typed):
        """What is listed after a TAB; the line is thrown away."""
        os.write(self.terminal, typed.encode() + b"\t")
        text = self.read_until(lambda said: PROMPT in said and said.endswith(typed[-1]))
        os.write(self.terminal, b"\x15echo forgotten\r")
        self.read_until(lambda said: said.endswith(f"\nforgotten\r\n{PROMPT}"))
        return set(text.partition("\n")[2].rpartition(PROMPT)[0].split())

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


class WithoutPackage(unittest.TestCase):
    settings = f". {FILE}\n"

    @classmethod
    def setUpClass(cls):
        cls.bash = Bash(cls.settings)
        cls.addClassCleanup(cls.bash.end)

    def test_values(self):
        for typed, line in (("-o ops=au", "-o ops=auto"), ("-o ops=kd", "-o ops=kdamond"),
                            ("-o enabled=Y,ops=s", "-o enabled=Y,ops=sim"),
                            ("-o ops=sim,sim=1G@1s,estim", "-o ops=sim,sim=1G@1s,estimator="),
                            ("-o ops=sim,abi=6.1", "-o ops=sim,abi=6.1"),
                            ("-o abi=7", "-o abi=7.2"), ("-o ro,unt", "-o ro,untracked="),
                            ("-o abi=7.2,untracked=e", "-o abi=7.2,untracked=exclude"),
                            ("-o regions=k", "-o regions=kernel"),
                            ("-o untracked=exclude_", "-o untracked=exclude_unmapped"),
                            ("-oops=au", "-oops=auto"), ("-oro,ops=au", "-oro,ops=auto"),
                            ("-f -o ram=big", "-f -o ram=biggest"), ("-o max", "-o max_"),
                            ("-o rootfs=a_d", "-o rootfs=a_directory"),
                            ("-o \"ops=au", "-o ops=auto")):
            with self.subTest(typed):
                self.assertEqual(self.bash.completed(f"damon-statfs {typed}"), line)

    def test_what_is_offered(self):
        for typed, some, none in (("-o ops=", {"auto", "sim", "page_idle"}, {"a_file", "a_directory"}),
                                  ("-o enabled=Y,ops=", {"auto", "observe"}, {"a_file"}),
                                  ("-o abi=", {"6.17", "6.18", "7.2"}, {"a_file"}),
                                  ("-o enabled=", {"Y", "N"}, {"a_file"}),
                                  ("-o ro,min_", {"ro,min_nr_regions=", "ro,min_sample_us="}, {"a_file"}),
                                  ("-o abi=7.2,", {"7.2,ops=", "7.2,nofail"}, {"a_file"}),
                                  ("--s", {"--status", "--status=json"}, {"a_file"})):
            with self.subTest(typed):
                offered = self.bash.offered(f"damon-statfs {typed}")
                if self.is_whole_word():
                    cut = typed.split()[-1].rpartition("=")[0]
                    some = {f"{cut}={word}" if cut else word for word in some}
                self.assertLessEqual(some, offered)
                self.assertFalse(none & offered, offered)

    def is_whole_word(self):
        return "COMP_WORDBREAKS" in self.settings

    def test_mountpoints(self):
        self.assertEqual(self.bash.completed("damon-statfs -o ro a_").rstrip("/"), "-o ro a_directory")
        for typed in ("wi", "with\\ bl"):
            self.assertEqual(self.bash.completed(f"damon-statfs {typed}"), "with blank/")
        self.assertEqual(self.bash.completed("damon-statfs --probe=j"), "--probe=json")
        with Mount() as mount:
            for flag in ("--status", "--status=json"):
                self.assertEqual(self.bash.completed(f"damon-statfs {flag} {mount.path[:-1]}"),
                                 f"{flag} {mount.path}")


class NotSplitAtEquals(WithoutPackage):
    settings = f"COMP_WORDBREAKS=${{COMP_WORDBREAKS//=}}\n. {FILE}\n"


@unittest.skipUnless(os.path.exists(PACKAGE), "no bash-completion")
class WithPackage(WithoutPackage):
    """Which finds the file by the name of the command, at the first TAB."""

    @classmethod
    def setUpClass(cls):
        home = new_directory("completions")
        os.mkdir(os.path.join(home, "completions"))
        shutil.copy(FILE, os.path.join(home, "completions/damon-statfs"))
        cls.settings = f"BASH_COMPLETION_USER_DIR={home}\n. {PACKAGE}\n"
        super().setUpClass()
