# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs unittest in the namespaces and leaves its result as JSON for tests/fuse/run, which sums up.

A test with failing table rows counts once; a daemon that hangs is killed so that its test fails.
"""
import json
import os
import sys
import threading
import time
import unittest
import warnings

import support

HANG_SECONDS = 60  # of one test or row of its table, which take ten on a busy machine with a sanitizer


class Result(unittest.TextTestResult):
    """Counts whole tests, guards each of them with a watchdog, and adds to a failure what the daemons said."""

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self.passed, self.bad, self.times = 0, set(), []
        self._timer = None

    def startTest(self, test):
        super().startTest(test)
        self._begin(test)
        self._start = time.monotonic()

    def _begin(self, test):
        """A test or a row of its table begins, which has its own time and its own daemons."""
        support.forget_evidence()
        if self._timer:
            self._timer.cancel()
        self._timer = threading.Timer(HANG_SECONDS, support.kill_active, [test.id()])
        self._timer.daemon = True
        self._timer.start()

    def stopTest(self, test):
        self._timer.cancel()
        self.times.append((time.monotonic() - self._start, test.id()))
        super().stopTest(test)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._is_bad(test, self.failures)

    def addError(self, test, err):
        super().addError(test, err)
        self._is_bad(test, self.errors)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            is_failure = issubclass(err[0], test.failureException)
            self._is_bad(test, self.failures if is_failure else self.errors)
        self._begin(test)

    def _is_bad(self, test, kept):
        self.bad.add(test.id())
        which, text = kept[-1]
        kept[-1] = which, text + support.evidence()

    def as_json(self, name, left):
        failed = sorted(self.bad) + [f"{name} left behind {what}" for what in left]
        return {"passed": self.passed, "failed": failed, "times": self.times,
                "skipped": [(test.id(), reason) for test, reason in self.skipped]}


def run_tests(directory, arguments):
    """Returns 0 when every test passed, 1 otherwise."""
    warnings.simplefilter("ignore", DeprecationWarning)  # fork() beside the watchdog thread
    sys.path.insert(0, directory)
    os.chdir(directory)  # where unittest looks for tests that are not named
    runner = unittest.TextTestRunner(stream=sys.stdout, resultclass=Result)
    program = unittest.main(module=None, argv=["tests/fuse/run", *arguments], testRunner=runner, exit=False)
    left = support.leftovers()
    found = program.result.as_json(" ".join(arguments), left)
    if left:
        print("left behind: " + ", ".join(left), flush=True)
    with open(os.environ["DAMON_STATFS_RESULT"], "w", encoding="utf-8") as stream:
        json.dump(found, stream)
    return 1 if found["failed"] else 0
