# SPDX-License-Identifier: GPL-2.0-or-later
"""When monitoring began and a snapshot was published, as closely as a reader can tell.

Bounds that are made of these times hold on a machine that is as busy as it likes.
"""
import collections
import time

from processes import wait_for

# The idle times of a snapshot, a moment when it was not published yet, and one when it was.
Seen = collections.namedtuple("Seen", "numbers earliest latest")
LATE_SECONDS = 0.15  # an aggregation of 50 ms, and a daemon that has to wait before it publishes


class Run:
    """Monitoring from now on; the moments before and after it was switched on."""

    def __init__(self, mount):
        self.mount, self.begun = mount, time.monotonic()
        mount.write(b"Y")
        self.on = time.monotonic()

    def seconds(self):
        """For how long it monitors at most."""
        return time.monotonic() - self.begun

    def next_snapshot(self, seconds=5.0):
        old, unchanged = self.mount.numbers(), time.monotonic()

        def changed():
            nonlocal unchanged
            begun, new = time.monotonic(), self.mount.numbers()
            if new != old:
                return Seen(new, unchanged, time.monotonic())
            unchanged = begun
            return None
        return wait_for(changed, seconds, f"a snapshot other than {old}")

    def wait_idle(self, milliseconds, seconds=5.0):
        """The first snapshot with memory that has been idle for so long."""
        begun = time.monotonic()
        while (seen := self.next_snapshot(seconds)).numbers[100] < milliseconds:
            if time.monotonic() > begun + seconds:
                raise AssertionError(f"not within {seconds} s: {milliseconds} ms in {seen.numbers}")
        return seen

    def check_never_accessed(self, test, number, seen):
        """The number is that of memory which was never accessed in all that time."""
        least, most = seen.earliest - self.on - LATE_SECONDS, seen.latest - self.begun
        test.assertTrue(1000 * least <= number <= 1000 * most,
                        f"{number} ms instead of {least:.3f} to {most:.3f} s in {seen.numbers}")
