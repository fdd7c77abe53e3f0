# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs unittest and ends with the one line other scripts look for: "N passed, N failed".

A test with failing table rows counts once; a daemon that hangs is killed so that its test fails.
"""
import sys
import threading
import time
import unittest
import warnings

import support

HANG_SECONDS = 30


class Result(unittest.TextTestResult):
    """Counts whole tests and guards each of them with a watchdog."""

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self.passed, self.bad, self.times = 0, set(), []
        self._timer = None

    def startTest(self, test):
        super().startTest(test)
        self._timer = threading.Timer(HANG_SECONDS, support.kill_active, [test.id()])
        self._timer.daemon = True
        self._timer.start()
        self._start = time.monotonic()

    def stopTest(self, test):
        self._timer.cancel()
        self.times.append((time.monotonic() - self._start, test.id()))
        super().stopTest(test)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.bad.add(test.id())

    def addError(self, test, err):
        super().addError(test, err)
        self.bad.add(test.id())

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.bad.add(test.id())


def _summary(result, seconds):
    words = f"{result.passed} passed, {len(result.bad)} failed"
    if result.skipped:
        words += f", {len(result.skipped)} skipped"
    slow = ", ".join(f"{name} {spent:.1f} s" for spent, name in sorted(result.times)[-3:][::-1])
    print(f"{seconds:.1f} s; slowest: {slow}", flush=True)
    print(words, flush=True)


def run_tests(directory, arguments):
    """Returns 0 when every test passed, 1 otherwise."""
    warnings.simplefilter("ignore", DeprecationWarning)  # fork() beside the watchdog thread
    argv = ["tests/fuse/run"] + (arguments or ["discover", "-s", directory, "-t", directory])
    runner = unittest.TextTestRunner(stream=sys.stdout, resultclass=Result)
    start = time.monotonic()
    try:
        program = unittest.main(module=None, argv=argv, testRunner=runner, exit=False)
        result = program.result
    finally:
        left = support.leftovers()
    _summary(result, time.monotonic() - start)
    if left:
        print("left behind: " + ", ".join(left), flush=True)
    return 0 if result.passed and not result.bad and not left else 1
