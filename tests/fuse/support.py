# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon as a context manager: started, asserted to answer, unmounted, asserted to be gone.

Nothing here knows how the daemon works; it uses the command line, mountinfo and /proc only.
"""
import functools
import mmap
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import calls
from processes import (BASE, BINARY, alive, daemons, leftovers, mountinfo, reap, spawn,
                       wait_equal, wait_for)

NOBODY = 65534

ENABLED, BANDWIDTH = "enabled", "estimated_memory_bandwidth"
IDLE, AGGR, PID = "memory_idle_ms_percentiles", "aggr_interval_us", "kdamond_pid"
FILES = {"6.17": (IDLE, ENABLED, BANDWIDTH), "6.18": (IDLE, ENABLED, BANDWIDTH, AGGR),
         "7.2": (IDLE, ENABLED, BANDWIDTH, PID, AGGR)}
# A snapshot every 20 to 30 ms instead of every 5 s, which only regions can do.
FAST = {"sample_us": 1000, "aggr_us": 10000, "aggrs": 0, "refresh_ms": 20, "max_cpu": 100,
        "estimator": "regions"}


def is_fast_aggr(aggr_us):
    """What aggr_interval_us may be of a FAST mount: as configured, or longer if its ten ticks came late,
    which is told when it is by more than a quarter."""
    return aggr_us == 10000 or (aggr_us > 12500 and aggr_us % 10 == 0)


@functools.lru_cache
def is_sanitized(kind="any"):
    """Whether the program was built with a sanitizer (of threads), which has an allocator of its own and
    needs descriptors and addresses for itself."""
    names = {"any": (b"__asan_init", b"__tsan_init", b"__ubsan_handle"), "thread": (b"__tsan_init",)}
    with open(BINARY, "rb") as stream, \
            mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as program:
        return any(program.find(name) >= 0 for name in names[kind])


STOP_SECONDS = 15.0  # for an end that hangs; the guests, whose time counts instructions, hold it to 2 s
_active = set()   # mounts whose daemons run, for the watchdog
_begun = []       # mounts that the test, or the row of its table, has begun


def new_directory(prefix="d"):
    path = tempfile.mkdtemp(prefix=prefix + ".", dir=BASE)
    os.chmod(path, 0o755)
    return path


def tree(files):
    """A directory with these files in it: the daemon's idea of / in a test."""
    root = new_directory("root")
    for name, data in files.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as stream:
            stream.write(data if isinstance(data, bytes) else data.encode())
    return root


def kill_active(test):
    """Watchdog: the daemons of a hanging test are killed, so that its system calls return."""
    print(f"{test}: hangs, its daemons are killed", file=sys.stderr)
    for mount in list(_active):
        for pid in mount.pids:
            mount.kill(signal.SIGKILL, pid)


def forget_evidence():
    _begun.clear()


def evidence():
    """What the daemons of a failed test have said; of many, the last ones and those that run."""
    mounts = dict.fromkeys([*_active, *_begun[-3:]])
    return "".join(f"\n-- {mount.path}: {mount.said()}\n" for mount in mounts)


def run_daemon(*arguments, timeout=10, **keywords):
    """Runs the binary until it exits; output goes through files, which a daemon may keep open."""
    with tempfile.TemporaryFile(dir=BASE or None) as out, \
            tempfile.TemporaryFile(dir=BASE or None) as err:
        done = subprocess.run([BINARY, *arguments], stdin=subprocess.DEVNULL, stdout=out,
                              stderr=err, timeout=timeout, check=False, **keywords)
        out.seek(0)
        err.seek(0)
        done.stdout = out.read().decode(errors="replace")
        done.stderr = err.read().decode(errors="replace")
        return done


class Mount:
    """One daemon and its mount; options are keywords, `words` is for words without a value."""

    def __init__(self, words="", source=None, path=None, env=None, **options):
        self.path = path or new_directory("mnt")
        self.root = options.pop("rootfs", None) or new_directory("root")
        defaults = {"ops": "sim", "sim": "64M@1ms+192M@never", "seed": 1, "refresh_ms": 100}
        if options.get("ops", "sim") != "sim":
            defaults = {}
        self.options = {**defaults, **options, "rootfs": self.root}
        self.words, self.source, self.pids, self.start = words, source, set(), None
        self.files = "not read"  # after a failure: what its files said then
        self.env = {**os.environ, **(env or {})}

    def arguments(self):
        words = [self.words] if self.words else []
        words += [f"{name}={value}" for name, value in self.options.items() if value is not None]
        return ["-o", ",".join(words)] + ([self.source] if self.source else []) + [self.path]

    def begin(self):
        """Starts the daemon, which may refuse: see self.start."""
        before = daemons()
        _begun.append(self)
        self.start = run_daemon(*self.arguments(), env=self.env)
        self.pids = daemons() - before
        _active.add(self)

    def __enter__(self):
        self.begin()
        try:
            assert self.start.returncode == 0, \
                f"exit {self.start.returncode}: {self.start.stderr.strip()}"
            assert len(mountinfo(self.path)) == 1, "not mounted after exit 0"
            assert len(self.pids) == 1, f"expected one process, got {self.pids}"
        except AssertionError:
            self.clean()
            raise
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.stop()
            else:
                self.files = self.read_all()
        finally:
            self.clean()

    def read_all(self):
        """What its files say, or why they say nothing."""
        def text(name):
            try:
                return self.read(name).decode(errors="replace").strip()
            except OSError as error:
                return str(error)
        return "".join(f"\n      {name}: {text(name)}" for name in (ENABLED, BANDWIDTH, IDLE))

    def said(self):
        """For the report of a failure: how it was started and all that can be known of its log."""
        start = f"exit {self.start.returncode}: {self.start.stderr.strip()}" if self.start else "no exit"
        return (f"{' '.join(self.arguments())}\n   start: {start}\n"
                f"   running: {sorted(filter(alive, self.pids))}; its log went to syslog, which is not read\n"
                f"   files at the failure: {self.files}")

    @property
    def pid(self):
        return next(iter(self.pids))

    def stop(self):
        """Unmounts if mounted; the process must end."""
        if mountinfo(self.path):
            calls.umount(self.path)
        self.wait_gone()

    def wait_gone(self, seconds=STOP_SECONDS):
        start = time.monotonic()
        wait_for(lambda: not any(map(alive, self.pids)), seconds, "end of the daemon")
        return time.monotonic() - start

    def kill(self, number, pid=None):
        try:
            os.kill(pid or self.pid, number)
        except ProcessLookupError:
            pass

    def clean(self):
        """Removes everything whatever happened before."""
        _active.discard(self)
        for pid in filter(alive, self.pids):
            self.kill(signal.SIGKILL, pid)
        while mountinfo(self.path):
            calls.umount(self.path, calls.MNT_DETACH)

    def abandon(self):
        """Leaves the dead mount where it is, for the next start to replace."""
        self.clean = self.stop = lambda: _active.discard(self)

    def file(self, name):
        return os.path.join(self.path, name)

    def open(self, name=ENABLED, flags=os.O_RDONLY):
        return os.open(self.file(name), flags)

    def read(self, name=ENABLED):
        with open(self.file(name), "rb", buffering=0) as stream:
            return stream.readall()

    def write(self, data, name=ENABLED):
        descriptor = self.open(name, os.O_WRONLY)
        try:
            return os.write(descriptor, data)
        finally:
            os.close(descriptor)

    def numbers(self):
        return [int(word) for word in self.read(IDLE).split(b",")]

    def value(self, name):
        return int(self.read(name))

    def wait_snapshot(self, seconds=5.0):
        """Waits until a first snapshot was published."""
        wait_for(lambda: any(self.numbers()), seconds, "first snapshot")
        return self

    def wait_newer(self, than, seconds=5.0):
        """Waits until the idle times are other than these, and returns them."""
        return wait_for(lambda: (lambda new: new if new != than else None)(self.numbers()),
                        seconds, f"a snapshot other than {than}")


class Foreground(Mount):
    """The daemon with -f, as a service: standard error goes to a file, or where it is told to.

    `wrapper` is a command that becomes the daemon, such as prlimit(1) with its options.
    """

    def __init__(self, *flags, stderr=None, wrapper=(), **options):
        super().__init__(**options)
        self.flags, self.stderr, self.process = flags, stderr, None
        self.wrapper = wrapper
        self.stream = tempfile.TemporaryFile(dir=BASE or None)

    def __enter__(self):
        self.process = subprocess.Popen([*self.wrapper, BINARY, "-f", *self.flags,
                                         *self.arguments()],
                                        stdin=subprocess.DEVNULL, env=self.env,
                                        stdout=subprocess.DEVNULL,
                                        stderr=self.stderr or self.stream)
        self.pids = {self.process.pid}
        _active.add(self)
        _begun.append(self)
        try:
            wait_for(lambda: mountinfo(self.path) or self.process.poll() is not None, 5, "mount")
            assert self.process.poll() is None, f"exit {self.process.poll()}: {self.log()}"
            wanted = self.options.get("enabled", "N").encode() + b"\n"
            wait_equal(self.read, wanted, what="the state")
        except AssertionError:
            self.clean()
            raise
        return self

    def log(self):
        """What it has written so far, read without moving the place where it writes on."""
        descriptor = self.stream.fileno()
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode(errors="replace")

    def said(self):
        exited = self.process and self.process.poll()
        return (f"{' '.join(self.arguments())}\n   exit status: {exited}; its log:\n{self.log()}\n"
                f"   files at the failure: {self.files}")

    def end(self, number=signal.SIGTERM):
        """Ends it and returns its exit status and log."""
        self.kill(number)
        return self.process.wait(STOP_SECONDS), self.log()

    def stop(self):
        if self.process.poll() is None:
            self.end()

    def clean(self):
        super().clean()
        if self.process:
            self.process.wait(5)


class MountCase(unittest.TestCase):
    """One mount shared by all tests of a class; `options` are those of Mount."""
    options = {}
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.mount = Mount(**cls.options)
        cls.mount.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.mount.__exit__(None)

    def opened(self, name=ENABLED, flags=os.O_RDONLY):
        """A descriptor that is closed at the end of the test."""
        descriptor = self.mount.open(name, flags)
        self.addCleanup(calls.close, descriptor)
        return descriptor
