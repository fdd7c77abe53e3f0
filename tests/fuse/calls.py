# SPDX-License-Identifier: GPL-2.0-or-later
"""System calls that Python has no wrapper for, and tools to name what a call answered.

Tables in the tests say "ok" or the name of an errno; outcome() turns any call into that word.
"""
import collections
import ctypes
import errno
import json
import mmap
import os
import platform
import struct

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int,
                      ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
for _name in ("read", "write", "getdents64"):
    getattr(libc, _name).restype = ctypes.c_ssize_t
    getattr(libc, _name).argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]

MNT_FORCE, MNT_DETACH = 1, 2
RWF_NOWAIT = 8  # os.RWF_NOWAIT only exists for reading
Entry = collections.namedtuple("Entry", "ino off type name")


def checked(result):
    """Raises OSError for the -1 of a C call."""
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def errno_name(code):
    """One name per number (ENOTSUP and EOPNOTSUPP are the same one)."""
    return "EOPNOTSUPP" if code == errno.EOPNOTSUPP else errno.errorcode.get(code, str(code))


def outcome(call, *arguments, **keywords):
    """"ok" or the name of the errno."""
    try:
        call(*arguments, **keywords)
    except OSError as problem:
        return errno_name(problem.errno)
    return "ok"


def close(descriptor):
    """close(2) without an exception: it answers ENOTCONN, and closes, when the daemon is gone."""
    outcome(os.close, descriptor)


def try_open(path, flags, mode=0o600):
    """outcome() of open(2), closing what was opened."""
    return outcome(lambda: os.close(os.open(path, flags, mode)))


def umount(path, flags=0):
    checked(libc.umount2(os.fsencode(path), flags))


def syncfs(descriptor):
    checked(libc.syncfs(descriptor))


def raw_read(descriptor, address, size):
    return checked(libc.read(descriptor, address, size))


def raw_write(descriptor, data):
    """write(2) without Python's retry after EINTR."""
    return checked(libc.write(descriptor, data, len(data)))


def getdents(descriptor, size=32768):
    """The entries of one getdents64 call."""
    buffer = ctypes.create_string_buffer(size)
    length = checked(libc.getdents64(descriptor, buffer, size))
    entries, data = [], buffer.raw[:length]
    while data:
        ino, off, reclen, kind = struct.unpack_from("=QqHB", data)
        name = data[19:reclen].split(b"\0", 1)[0].decode()
        entries.append(Entry(ino, off, kind, name))
        data = data[reclen:]
    return entries


class PageEdge:
    """A readable page followed by an inaccessible one, to make a copy fault half way."""

    def __enter__(self):
        page = mmap.PAGESIZE
        self.start = libc.mmap(None, 2 * page, mmap.PROT_READ | mmap.PROT_WRITE,
                               mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
        self.edge = self.start + page
        checked(libc.mprotect(self.edge, page, 0))
        return self

    def __exit__(self, *_):
        libc.munmap(self.start, 2 * mmap.PAGESIZE)

    def tail(self, size):
        """The last bytes before the edge."""
        return ctypes.string_at(self.edge - size, size)


SYSCALLS = {"x86_64": {"timerfd_create": 283, "signalfd4": 289, "eventfd2": 290},
            "aarch64": {"eventfd2": 19, "signalfd4": 74, "timerfd_create": 85}}
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
SECCOMP_RET_ERRNO, SECCOMP_RET_ALLOW = 0x00050000, 0x7fff0000


def deny(name, code=errno.EMFILE):
    """From now on this system call fails in this process and all that it becomes, seccomp(2)."""
    number = SYSCALLS[platform.machine()][name]
    program = struct.pack("=" + "HBBI" * 4,
                          0x20, 0, 0, 0,       # load the number of the call
                          0x15, 0, 1, number,  # not this one: jump over the next
                          0x06, 0, 0, SECCOMP_RET_ERRNO | code,
                          0x06, 0, 0, SECCOMP_RET_ALLOW)
    buffer = ctypes.create_string_buffer(program)
    argument = struct.pack("@HP", 4, ctypes.addressof(buffer))
    checked(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    checked(libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, argument, 0, 0))


def in_child(call, *arguments, uid=None):
    """Runs call in a forked child, as another user if asked; returns its (JSON-able) result."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if uid is not None:
                os.setgroups([])
                os.setresgid(uid, uid, uid)
                os.setresuid(uid, uid, uid)
            answer = json.dumps(call(*arguments))
        except BaseException as problem:  # pylint: disable=broad-except
            answer = json.dumps(f"{type(problem).__name__}: {problem}")
        os.write(writing, answer.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        answer = stream.read()
    os.waitpid(child, 0)
    return json.loads(answer)
