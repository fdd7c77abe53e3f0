# SPDX-License-Identifier: GPL-2.0-or-later
"""The log: priorities for the journal, colours for a terminal, plain lines else, and SIGUSR1.

The journal is a file that JOURNAL_STREAM names by device and inode, as systemd does.
"""
import os
import pty
import re
import select
import signal
import socket
import tempfile
import unittest

import support
from support import FAST, Foreground, Mount, wait_for

REFUSED = {"ops": "page_idle", "enabled": "Y"}  # nothing of it is there: one error line


def journal_stream(stream):
    info = os.fstat(stream.fileno())
    return f"{info.st_dev}:{info.st_ino}"


def on_terminal(arguments, term="xterm"):
    """What the program writes to a terminal that is its standard error."""
    master, slave = pty.openpty()
    child = support.subprocess.Popen([support.BINARY, *arguments], stderr=slave,
                                     stdin=support.subprocess.DEVNULL,
                                     stdout=support.subprocess.DEVNULL,
                                     env={"TERM": term, "PATH": os.environ["PATH"]})
    os.close(slave)
    child.wait(10)
    text = b""
    while select.select([master], [], [], 0.1)[0]:
        try:
            text += os.read(master, 4096)
        except OSError:
            break
    os.close(master)
    return text.decode()


class Journal(unittest.TestCase):
    def test_priorities(self):
        mount = Foreground(words="uid=5", enabled="Y")
        mount.env["JOURNAL_STREAM"] = journal_stream(mount.stream)
        with mount:
            mount.kill(signal.SIGUSR1)
            wait_for(lambda: "state: on" in mount.log(), 5, "the status block")
            lines = mount.end()[1].splitlines()
        self.assertTrue(all(re.match(r"<[346]>\S", line) for line in lines), lines)
        self.assertTrue(any(line.startswith("<4>uid=5") for line in lines), lines)
        self.assertTrue(any(line.startswith("<6>mounted on") for line in lines), lines)

    def test_errors(self):
        """Of a bad option, too: systemctl status shows them in red."""
        for arguments, text in ((Mount(**REFUSED).arguments(), "monitoring is off"),
                                (Mount(enabled="maybe").arguments(), "enabled=maybe"),
                                (["-o", "ops=sim", "/nonexistent"], "ops=sim")):
            for flags in ([], ["-f"]):
                with self.subTest(text, flags=flags), \
                        tempfile.TemporaryFile(dir=support.BASE) as log:
                    environment = {**os.environ, "JOURNAL_STREAM": journal_stream(log)}
                    support.subprocess.run([support.BINARY, *flags, *arguments], stderr=log,
                                           timeout=10, check=False, env=environment)
                    log.seek(0)
                    lines = log.read().decode().splitlines()
                    self.assertEqual(len(lines), 1, lines)
                    self.assertTrue(lines[0].startswith("<3>" + text), lines)

    def test_another_stream(self):
        """Standard error was redirected: JOURNAL_STREAM is about something else."""
        for value in ("1:1", "junk", "", "8:"):
            with self.subTest(value), Foreground(env={"JOURNAL_STREAM": value}) as mount:
                lines = mount.end()[1].splitlines()
                self.assertGreater(len(lines), 1, lines)
                for line in lines:
                    self.assertRegex(line, r"\Adamon-statfs: ")

    def test_debug_has_its_own_priority(self):
        mount = Foreground("-d", enabled="Y", **FAST)
        mount.env["JOURNAL_STREAM"] = journal_stream(mount.stream)
        with mount:
            wait_for(lambda: "<7>aggregation: " in mount.log(), 5, "an aggregation")


class Terminal(unittest.TestCase):
    def test_colours_are_for_terminals(self):
        arguments = ["-f", *Mount(**REFUSED).arguments()]
        self.assertIn("\x1b[", on_terminal(arguments))
        plain = on_terminal(arguments, term="dumb")
        self.assertIn("damon-statfs: monitoring is off", plain)
        self.assertNotIn("\x1b[", plain)
        done = support.run_daemon(*arguments, env={**os.environ, "TERM": "xterm"})
        self.assertNotIn("\x1b", done.stderr)
        self.assertIn("damon-statfs: monitoring is off", done.stderr)

    def test_a_typo_is_one_line(self):
        text = on_terminal(Mount("nofails").arguments())
        self.assertEqual(len(text.strip().splitlines()), 1, text)
        self.assertIn("nofails", text)


class Syslog(unittest.TestCase):
    """/dev/log is a socket of the test's, in a /dev of the daemon's own mount namespace."""
    PREPARE = ('mount -t tmpfs tmpfs "$1" && touch "$1/fuse" "$1/null" "$1/log" &&'
               ' mount --bind /dev/fuse "$1/fuse" && mount --bind /dev/null "$1/null" &&'
               ' mount --bind "$2" "$1/log" && mount --rbind "$1" /dev && shift 2 && exec "$@"')

    def test_in_the_background(self):
        """One message per line, with the daemon facility; SIGUSR1 is answered there."""
        path = os.path.join(support.new_directory("log"), "socket")
        log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(log.close)
        log.bind(path)
        log.settimeout(5)
        mount, before = Mount(enabled="Y"), support.daemons()
        self.addCleanup(mount.clean)
        support.subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c",
                                self.PREPARE, "sh", support.new_directory("dev"), path,
                                support.BINARY, *mount.arguments()], check=True, timeout=10,
                               stderr=support.subprocess.DEVNULL)
        mount.pids = support.daemons() - before
        mount.kill(signal.SIGUSR1)
        mount.kill(signal.SIGTERM)
        lines = []
        while not lines or not lines[-1].endswith(": ended"):
            lines.append(log.recv(4096).decode().rstrip("\0\n"))
        for line in lines:
            self.assertRegex(line, rf"\A<30>.* damon-statfs\[{mount.pid}\]: ")
        self.assertTrue(any(line.endswith(": state: on") for line in lines), lines)
        self.assertTrue(any(line.endswith(": monitoring is off: stopped") for line in lines))


class Content(unittest.TestCase):
    def test_status_block(self):
        with Foreground(enabled="Y") as mount:
            before = mount.log()
            mount.kill(signal.SIGUSR1)
            wait_for(lambda: "cpu_percent: " in mount.log(), 5, "the status block")
            block = mount.log()[len(before):]
            for line in (r"version: \d+\.\d+", f"mountpoint: {mount.path}", "state: on",
                         "operations_set: sim", r"uptime_s: \d+\.\d+", r"cpu_s: \d+\.\d+",
                         r"cpu_percent: \d+\.\d+"):
                self.assertRegex(block, f"(?m)^damon-statfs: {line}")
            self.assertNotIn("last_error", block)
            self.assertEqual(mount.read(), b"Y\n")
            self.assertEqual(mount.end()[0], 0)

    def test_last_error(self):
        with Foreground(ops="page_idle") as mount:
            try:
                mount.write(b"Y")
                self.fail("Y was accepted")
            except OSError:
                pass
            mount.kill(signal.SIGUSR1)
            wait_for(lambda: "last_error: monitoring is off: " in mount.log(), 5, "last error")
            self.assertRegex(mount.log(), r"(?m)^damon-statfs: last_error_age_s: \d")

    def test_many_at_once_and_in_the_background(self):
        with Mount(enabled="Y", **FAST) as mount:
            for _ in range(20):
                mount.kill(signal.SIGUSR1)
                self.assertEqual(mount.read(), b"Y\n")

    def test_state_changes_only(self):
        """Many refreshes add no line; -d tells each aggregation."""
        with Foreground(enabled="Y", **FAST) as mount:
            mount.wait_snapshot()
            before = mount.log()
            for _ in range(5):
                mount.wait_newer(mount.numbers())
            self.assertEqual(mount.log(), before)
            self.assertNotIn("aggregation:", before)
            mount.write(b"N")
            self.assertEqual(mount.log()[len(before):].count("\n"), 1)
        with Foreground("-d", enabled="Y", **FAST) as mount:
            wait_for(lambda: mount.log().count("aggregation: ") > 5, 5, "aggregations")
