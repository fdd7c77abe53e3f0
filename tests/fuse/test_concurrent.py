# SPDX-License-Identifier: GPL-2.0-or-later
"""Writers and readers at once: readers never wait, writers never hang, the end is consistent.

Long sampling intervals are used where a stop would wait for the end of a sleep.
"""
import os
import random
import signal
import time

import calls
from support import ENABLED, FAST, IDLE, PID, MountCase, reap, spawn

READ_LIMIT = 0.5  # seconds; the aim is 0.010, but the machine that runs tests may be busy


def toggle(path, seconds):
    """Writes Y and N alternately; every write must succeed."""
    descriptor, end = os.open(path, os.O_WRONLY), time.monotonic() + seconds
    while time.monotonic() < end:
        for state in (b"Y\n", b"N\n"):
            assert os.pwrite(descriptor, state, 0) == 2


def write_forever(path):
    descriptor = os.open(path, os.O_WRONLY)
    while True:
        os.pwrite(descriptor, b"Y", 0)
        os.pwrite(descriptor, b"N", 0)


def interrupted_writes(path):
    """Every write is cut short by a signal or succeeds; no other answer is right."""
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.siginterrupt(signal.SIGALRM, True)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    descriptor, answers = os.open(path, os.O_WRONLY), {}
    for step in range(400):
        answer = calls.outcome(calls.raw_write, descriptor, b"YN"[step % 2:step % 2 + 1])
        answers[answer] = answers.get(answer, 0) + 1
    signal.setitimer(signal.ITIMER_REAL, 0)
    return answers


class Concurrent(MountCase):
    options = {**FAST, "abi": "7.2"}

    def consistent(self):
        """After the last write everything agrees with it, and both states still work."""
        for state, running in ((b"Y", True), (b"N", False)):
            self.assertEqual(self.mount.write(state), 1)
            self.assertEqual(self.mount.read(), state + b"\n")
            self.assertEqual(self.mount.value(PID) > 0, running)
        self.assertEqual(calls.outcome(os.stat, self.mount.file(IDLE)), "ok")

    def read_during(self, children, seconds):
        """The longest time of open, read to the end and close while the children run."""
        worst, end = 0.0, time.monotonic() + seconds
        while time.monotonic() < end:
            for name in (ENABLED, IDLE, PID):
                start = time.monotonic()
                text = self.mount.read(name)
                worst = max(worst, time.monotonic() - start)
                self.assertTrue(text.endswith(b"\n"))
        for child in children:
            self.assertEqual(reap(child, 10), 0)
        return worst

    def test_readers_are_answered_while_toggling(self):
        child = spawn(toggle, self.mount.file(ENABLED), 1.0)
        self.assertLess(self.read_during([child], 1.0), READ_LIMIT)
        self.consistent()

    def test_many_writers_and_readers(self):
        children = [spawn(toggle, self.mount.file(ENABLED), 1.5) for _ in range(4)]
        self.assertLess(self.read_during(children, 1.5), READ_LIMIT)
        self.consistent()

    def test_writers_of_one_descriptor(self):
        descriptor = self.opened(ENABLED, os.O_WRONLY)

        def use():
            for step in range(100):
                assert os.pwrite(descriptor, b"YN"[step % 2:step % 2 + 1], 0) == 1
        for child in [spawn(use) for _ in range(4)]:
            self.assertEqual(reap(child, 10), 0)
        self.consistent()

    def test_interrupted_writers(self):
        answers = calls.in_child(interrupted_writes, self.mount.file(ENABLED))
        self.assertIsInstance(answers, dict, answers)
        self.assertEqual(set(answers), {"ok", "EINTR"}, answers)
        self.consistent()

    def test_killed_writers(self):
        for _ in range(15):
            child = spawn(write_forever, self.mount.file(ENABLED))
            time.sleep(random.uniform(0.001, 0.02))
            os.kill(child, signal.SIGKILL)
            self.assertEqual(reap(child, 5), -signal.SIGKILL)
        self.consistent()

    def test_chmod_and_listing_while_toggling(self):
        child = spawn(toggle, self.mount.file(ENABLED), 0.7)
        end = time.monotonic() + 0.7
        while time.monotonic() < end:
            os.chmod(self.mount.file(ENABLED), 0o600)
            self.assertEqual(len(os.listdir(self.mount.path)), 5)
            os.close(self.mount.open(ENABLED, os.O_WRONLY | os.O_TRUNC))
            os.statvfs(self.mount.path)
        self.assertEqual(reap(child, 10), 0)
        self.consistent()


class LongIntervals(MountCase):
    """One sampling interval is 2 s: neither readers nor the stop may wait for it."""
    options = {"sample_us": 2000000, "aggr_us": 40000000, "aggrs": 0, "abi": "7.2"}

    def test_stop_does_not_take_a_sampling_interval(self):
        self.mount.write(b"Y")
        time.sleep(0.05)  # until the engine waits for its interval
        start = time.monotonic()
        self.mount.write(b"N")
        self.assertLess(time.monotonic() - start, 1.0)
        self.assertEqual(self.mount.read(), b"N\n")

    def test_readers_are_answered_while_a_write_is_in_progress(self):
        child = spawn(toggle, self.mount.file(ENABLED), 0.5)
        worst, end = 0.0, time.monotonic() + 0.5
        while time.monotonic() < end:
            start = time.monotonic()
            self.mount.read(ENABLED)
            self.mount.read(IDLE)
            worst = max(worst, time.monotonic() - start)
        self.assertEqual(reap(child, 10), 0)
        self.assertLess(worst, READ_LIMIT)
