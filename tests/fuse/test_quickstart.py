# SPDX-License-Identifier: GPL-2.0-or-later
"""mount/quickstart in a checkout of its own, where the compiler is a script that hands in the program under
test, on simulated memory: nothing is built or installed, and nothing of this machine is monitored."""
import os
import signal
import subprocess
import unittest

import calls
from processes import BINARY, daemons, mountinfo
from support import Mount, new_directory

QUICKSTART = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../mount/quickstart")
CMAKE = """#!/bin/sh
echo "$@" >> {checkout}/cmake.log
case $1 in
  --build) sleep {seconds}; [ -e {checkout}/broken ] && {{ echo 'error: no such thing'; exit 2; }}
           mkdir -p {checkout}/build/quickstart && cp {checkout}/program {checkout}/build/quickstart/damon-statfs ;;
esac
"""
# What no set of this machine is asked about, and the state of which is in a directory of the test.
PROGRAM = """#!/bin/sh
case $1 in --probe*) echo '"auto": null'; exit ;; esac
exec {binary} -o rootfs={root},refresh_ms=100 "$@"
"""


class Quickstart(unittest.TestCase):
    def setUp(self):
        self.checkout, self.before = new_directory("checkout"), daemons()
        self.mount = Mount()
        self.addCleanup(self.mount.clean)
        for name in ("mount", "bin"):
            os.mkdir(os.path.join(self.checkout, name))
        with open(QUICKSTART, encoding="utf-8") as stream:
            self.script("mount/quickstart", stream.read())
        self.script("program", PROGRAM.format(binary=BINARY, root=self.mount.root))
        self.script("bin/dpkg-query", "#!/bin/sh\necho install ok installed\n")
        self.compile_in(0)

    def script(self, name, text):
        path = os.path.join(self.checkout, name)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.chmod(path, 0o755)

    def compile_in(self, seconds):
        self.script("bin/cmake", CMAKE.format(checkout=self.checkout, seconds=seconds))

    def run_it(self, *arguments, cwd="/"):
        environment = {**os.environ, "PATH": f"{self.checkout}/bin:{os.environ['PATH']}"}
        environment.pop("SUDO_USER", None)
        done = subprocess.run([os.path.join(self.checkout, "mount/quickstart"), *arguments], cwd=cwd,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment,
                              stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
        self.mount.pids = daemons() - self.before
        return done.returncode, done.stdout

    def built(self):
        return os.path.exists(os.path.join(self.checkout, "cmake.log"))

    def test_shows_values_on_a_new_directory(self):
        path = self.mount.path = os.path.join(self.mount.path, "new/directory")
        code, text = self.run_it(path)
        self.assertEqual((code, len(mountinfo(path))), (0, 1), text)
        self.assertIn("SIMULATED", text)
        self.assertIn(f"umount {path}", text)
        self.mount.stop()

    def test_a_relative_mountpoint_is_the_callers(self):
        parent, name = os.path.split(self.mount.path)
        code, text = self.run_it(name, cwd=parent)
        self.assertEqual((code, len(mountinfo(self.mount.path))), (0, 1), text)
        self.assertEqual(sorted(os.listdir(self.checkout)), ["bin", "build", "cmake.log", "mount", "program"])
        self.mount.stop()

    def test_signs_of_life_while_it_builds(self):
        self.compile_in(5)
        code, text = self.run_it(self.mount.path)
        self.assertEqual(code, 0, text)
        self.assertRegex(text, r"quickstart: building[^\n]* \.\.+\n")
        self.mount.stop()

    def test_a_build_that_fails_is_shown(self):
        with open(os.path.join(self.checkout, "broken"), "w", encoding="utf-8"):
            pass
        code, text = self.run_it(self.mount.path)
        self.assertEqual((code, mountinfo(self.mount.path)), (1, []), text)
        self.assertIn("error: no such thing", text)

    def test_a_dead_mount_is_replaced(self):
        self.mount.begin()
        self.mount.kill(signal.SIGKILL)
        self.mount.wait_gone()
        self.assertEqual(calls.outcome(self.mount.read), "ENOTCONN")
        code, text = self.run_it(self.mount.path)
        self.assertEqual((code, len(mountinfo(self.mount.path)), self.mount.read()), (0, 1, b"Y\n"), text)
        self.mount.stop()

    def test_a_live_mount_is_left_alone_before_anything_is_built(self):
        with self.mount:
            code, text = self.run_it(self.mount.path)
            self.mount.pids = daemons() - self.before
            self.assertEqual((code, self.built()), (1, False), text)
            self.assertIn("is mounted already", text)

    def test_a_file_is_refused_before_anything_is_built(self):
        path = os.path.join(self.mount.root, "file")
        with open(path, "w", encoding="utf-8"):
            pass
        for name in (path, path + "/below"):
            code, text = self.run_it(name)
            self.assertEqual((code, self.built()), (1, False), text)
            self.assertIn(name, text)

    def test_words(self):
        for arguments, code, said in ((("--help",), 0, "usage: sudo mount/quickstart"),
                                      (("-h",), 0, "usage: sudo mount/quickstart"),
                                      (("--nosuch",), 1, "usage: sudo mount/quickstart"),
                                      ((self.mount.path, "second"), 1, "second: one word too many")):
            with self.subTest(arguments):
                done, text = self.run_it(*arguments)
                self.assertEqual((done, self.built()), (code, False), text)
                self.assertIn(said, text)
