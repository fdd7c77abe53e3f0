# SPDX-License-Identifier: GPL-2.0-or-later
"""Every way to read a file from its beginning, as a function of a descriptor that returns the bytes.

Those in DIRECT and all programs give the text, those in CACHED, which may use the page cache, may answer
the errno that stands beside them.
"""
import collections
import ctypes
import errno
import functools
import mmap
import os
import shutil
import socket
import subprocess
import tempfile

import async_reads
from calls import checked, libc

SIZE = 8192
MAP_FAILED = ctypes.c_void_p(-1).value


def _read(descriptor, size=SIZE):
    os.lseek(descriptor, 0, os.SEEK_SET)
    return b"".join(iter(lambda: os.read(descriptor, size), b""))


def _readv(descriptor):
    os.lseek(descriptor, 0, os.SEEK_SET)
    parts = [bytearray(5), bytearray(100), bytearray(SIZE)]
    length = os.readv(descriptor, parts)
    return b"".join(parts)[:length]


def _preadv2(descriptor):
    parts = [bytearray(5), bytearray(100), bytearray(SIZE)]
    length = os.preadv(descriptor, parts, 0, 0)
    return b"".join(parts)[:length]


class _Pipe:
    def __enter__(self):
        self.ends = os.pipe()
        return self.ends

    def __exit__(self, *_):
        for end in self.ends:
            os.close(end)


def _splice(descriptor):
    with _Pipe() as (reading, writing):
        length = os.splice(descriptor, writing, SIZE, offset_src=0)
        return os.read(reading, SIZE) if length else b""


def _tee(descriptor):
    with _Pipe() as (reading, writing), _Pipe() as (copy, copy_writing):
        length = os.splice(descriptor, writing, SIZE, offset_src=0)
        if length:
            checked(libc.tee(reading, copy_writing, SIZE, 0))
        return os.read(copy, SIZE) if length else b""


def _sendfile(descriptor):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        length = os.sendfile(ours.fileno(), descriptor, 0, SIZE)
        return theirs.recv(SIZE) if length else b""


def _to_file(copy, descriptor):
    """What copy(descriptor, target) leaves in a file of memory."""
    target = os.memfd_create("copy")
    try:
        copy(descriptor, target)
        return os.pread(target, SIZE, 0)
    finally:
        os.close(target)


def _copy_file_range(descriptor):
    return _to_file(lambda source, target: os.copy_file_range(source, target, SIZE, 0), descriptor)


def _sendfile_to_file(descriptor):
    return _to_file(lambda source, target: os.sendfile(target, source, 0, SIZE), descriptor)


def _readahead(descriptor):
    os.posix_fadvise(descriptor, 0, SIZE, os.POSIX_FADV_WILLNEED)
    return os.pread(descriptor, SIZE, 0)


def _mapping(flags, descriptor):
    """The text of a mapping, without the zeros that fill its page. Python's own mmap would call fstat(2),
    which mends the size that the kernel knows; write(2) answers EFAULT where an access gets SIGBUS."""
    address = libc.mmap(None, mmap.PAGESIZE, mmap.PROT_READ, flags, descriptor, 0)
    if address == MAP_FAILED:
        raise OSError(ctypes.get_errno(), "mmap")
    try:
        with _Pipe() as (reading, writing):
            checked(libc.write(writing, address, mmap.PAGESIZE))
            return os.read(reading, mmap.PAGESIZE).rstrip(b"\0")
    finally:
        libc.munmap(address, mmap.PAGESIZE)


def _uring(**keywords):
    return functools.partial(async_reads.io_uring, **keywords)


DIRECT = {
    "read": _read,
    "read by 7": functools.partial(_read, size=7),
    "pread": lambda descriptor: os.pread(descriptor, SIZE, 0),
    "readv": _readv,
    "preadv2": _preadv2,
    "pread after readahead": _readahead,
    "AIO": async_reads.aio,
    "io_uring": async_reads.io_uring,
    "io_uring, worker": _uring(entry_flags=async_reads.WORKER),
    "io_uring, fixed": _uring(opcode=async_reads.READ_FIXED),
}
CACHED = {
    "sendfile": (_sendfile, errno.EINVAL),
    "sendfile to a file": (_sendfile_to_file, errno.EINVAL),
    "splice": (_splice, errno.EINVAL),
    "splice and tee": (_tee, errno.EINVAL),
    "copy_file_range": (_copy_file_range, errno.EXDEV),
    "private mapping": (functools.partial(_mapping, mmap.MAP_PRIVATE), errno.EFAULT),
    "shared mapping": (functools.partial(_mapping, mmap.MAP_SHARED), errno.ENODEV),
}
CALLS = {**{name: (way, None) for name, way in DIRECT.items()}, **CACHED}
# FILE is replaced by the file, and COPY by another one that the program makes.
PROGRAMS = {
    "cat": ["cat", "FILE"],
    "cp": ["cp", "FILE", "COPY"],
    "install": ["install", "FILE", "COPY"],
    "dd": ["dd", "status=none", "if=FILE"],
    "perl": ["perl", "-MFile::Copy", "-e", "copy('FILE', 'COPY') or die"],
    "shutil": ["python3", "-S", "-c", "import shutil; shutil.copyfile('FILE', 'COPY')"],
    "busybox cat": ["busybox", "cat", "FILE"],
    "busybox cp": ["busybox", "cp", "FILE", "COPY"],
    "busybox dd": ["busybox", "dd", "if=FILE"],
    "rust-coreutils cat": ["coreutils", "cat", "FILE"],
}
FILTERS = {"cat": ["cat"], "busybox cat": ["busybox", "cat"], "dd": ["dd", "status=none"],
           "rust-coreutils cat": ["coreutils", "cat"]}


def run_program(words, path=None, stdin=subprocess.DEVNULL):
    """What the program prints, or copies."""
    with tempfile.TemporaryDirectory() as directory:
        copy = os.path.join(directory, "copy")
        words = [word.replace("FILE", path or "").replace("COPY", copy) for word in words]
        done = subprocess.run(words, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False, timeout=20)
        if done.returncode != 0:
            raise OSError(errno.EIO, f"{words}: {done.stderr.decode()}")
        if not os.path.exists(copy):
            return done.stdout
        with open(copy, "rb") as stream:
            return stream.read()


def _filter(words, descriptor):
    os.lseek(descriptor, 0, os.SEEK_SET)
    return run_program(words, stdin=descriptor)


def _on_new(way, path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return way(descriptor)
    finally:
        os.close(descriptor)


Attempt = collections.namedtuple("Attempt", "name errno read")


@functools.lru_cache
def missing_calls():
    """The names of those that this kernel does not have, or not for us, as in a container."""
    def is_missing(way):
        with tempfile.TemporaryFile() as empty:
            try:
                way(empty.fileno())
            except OSError as problem:
                return problem.errno in (errno.ENOSYS, errno.EPERM)
        return False
    return [name for name, way in DIRECT.items() if is_missing(way)]


def _possible_calls():
    return [(name, *call) for name, call in CALLS.items() if name not in missing_calls()]


def new_attempts(path):
    """A reading by each call, on a descriptor of its own."""
    return [Attempt(f"{name}, new", code, functools.partial(_on_new, way, path))
            for name, way, code in _possible_calls()]


def held_attempts(descriptor):
    """A reading by each call, on this descriptor."""
    return [Attempt(f"{name}, held", code, functools.partial(way, descriptor))
            for name, way, code in _possible_calls()]


def program_attempts(path, held):
    """A reading by each program that is installed."""
    return [Attempt(f"{name}, new", None, functools.partial(run_program, words, path))
            for name, words in PROGRAMS.items() if shutil.which(words[0])] + \
           [Attempt(f"{name}, held", None, functools.partial(_filter, words, held))
            for name, words in FILTERS.items() if shutil.which(words[0])]
