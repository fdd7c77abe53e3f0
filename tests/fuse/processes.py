# SPDX-License-Identifier: GPL-2.0-or-later
"""Which daemons and mounts exist, and waiting for them: everything read from /proc.

The runner makes a private pid namespace, so every process here was started by the tests.
"""
import os
import time

BINARY = os.environ.get("DAMON_STATFS_BINARY", "damon-statfs")
BASE = os.environ.get("DAMON_STATFS_BASE", "")


def mountinfo(path):
    """The mountinfo lines (split) of what is mounted on path, oldest first."""
    wanted = os.fsencode(path)
    for char in b"\\ \t\n":
        wanted = wanted.replace(bytes([char]), b"\\%03o" % char)
    with open("/proc/self/mountinfo", "rb") as stream:
        lines = [line.rstrip(b"\n").split(b" ") for line in stream]
    return [[os.fsdecode(word) for word in line] for line in lines if line[4] == wanted]


def alive(pid):
    """Whether any thread of the process runs (a dead first thread can have live others)."""
    try:
        with open(f"/proc/{pid}/stat") as stream:
            state = stream.read().rsplit(")", 1)[1].split()[0]
        return state not in "ZX" or len(os.listdir(f"/proc/{pid}/task")) > 1
    except (FileNotFoundError, ProcessLookupError):
        return False


def daemons(program=BINARY):
    """Process ids of every running daemon of this namespace."""
    found, name = set(), os.path.basename(program).encode()
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as stream:
                words = stream.read().split(b"\0")
        except OSError:
            continue
        if entry.isdigit() and any(os.path.basename(word) == name for word in words[:2]):
            if alive(int(entry)):
                found.add(int(entry))
    return found


def has_engine(pid):
    """Whether the daemon has an engine thread."""
    for task in os.listdir(tasks := f"/proc/{pid}/task"):
        try:
            with open(f"{tasks}/{task}/comm", encoding="ascii") as comm:
                if comm.read() == "damon_engine\n":
                    return True
        except OSError:
            pass  # it has just ended
    return False


def wait_for(condition, seconds=5.0, what="condition"):
    """Returns the first true value of condition()."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.005)


def wait_equal(read, wanted, seconds=5.0, what="value"):
    """Waits until read() returns this, and otherwise says what it has returned at last."""
    last = []

    def is_there():
        last[:] = [read()]
        return last[0] == wanted
    try:
        wait_for(is_there, seconds)
    except AssertionError:
        raise AssertionError(f"not within {seconds} s: {what} {wanted!r} instead of {last[0]!r}") from None


def spawn(call, *arguments):
    """A child process that makes this call and exits 0, or 1 after an exception."""
    child = os.fork()
    if child == 0:
        try:
            call(*arguments)
            os._exit(0)
        except BaseException:  # pylint: disable=broad-except
            os._exit(1)
    return child


def reap(child, seconds):
    """Exit status of the child; a child that hangs is an AssertionError."""
    def ended():
        pid, status = os.waitpid(child, os.WNOHANG)
        return [os.waitstatus_to_exitcode(status)] if pid else None
    return wait_for(ended, seconds, f"end of child {child}")[0]


def leftovers():
    """What the tests forgot: mounts below the temporary directory and daemons."""
    with open("/proc/self/mountinfo") as stream:
        mounts = [line.split()[4] for line in stream if BASE and BASE in line]
    return mounts + [f"process {pid}" for pid in sorted(daemons())]
