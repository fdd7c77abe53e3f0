# SPDX-License-Identifier: GPL-2.0-or-later
"""One read at offset 0 by the calls that Python has no wrapper for: Linux AIO and io_uring.

The structures are those of linux/aio_abi.h and linux/io_uring.h. A process makes
its contexts once, because giving one back takes long.
"""
import ctypes
import functools
import mmap
import os
import platform
import struct

from calls import checked, libc

_AIO = {"setup": 206, "submit": 209, "getevents": 208}  # on x86-64
if platform.machine() == "aarch64":
    _AIO = {"setup": 0, "submit": 2, "getevents": 4}
_RING_SETUP, _RING_ENTER, _RING_REGISTER = 425, 426, 427
_SQ_RING, _CQ_RING, _SQES = 0, 0x8000000, 0x10000000  # where a ring's parts are mapped from
READ, READ_FIXED = 22, 4
WORKER = 1 << 4  # flag of an entry: a worker thread reads at once
_GETEVENTS, _REGISTER_BUFFERS = 1, 0
SIZE = 8192


def _buffer():
    buffer = ctypes.create_string_buffer(b"\xff" * SIZE, SIZE)
    return buffer, ctypes.addressof(buffer)


def _result(buffer, length):
    if length < 0:
        raise OSError(-length, os.strerror(-length))
    return buffer.raw[:length]


@functools.lru_cache
def _aio_context(_pid):
    context = ctypes.c_ulong()
    checked(libc.syscall(_AIO["setup"], 1, ctypes.byref(context)))
    return context


def aio(descriptor):
    """io_submit(2) of one IOCB_CMD_PREAD."""
    buffer, address = _buffer()
    control = ctypes.create_string_buffer(
        struct.pack("=QIIHhIQQqQII", 0, 0, 0, 0, 0, descriptor, address, SIZE, 0, 0, 0, 0), 64)
    event = ctypes.create_string_buffer(32)
    context = _aio_context(os.getpid())
    checked(libc.syscall(_AIO["submit"], context, 1,
                         ctypes.byref(ctypes.c_void_p(ctypes.addressof(control)))))
    checked(libc.syscall(_AIO["getevents"], context, 1, 1, event, None))
    return _result(buffer, struct.unpack_from("=q", event.raw, 16)[0])


class _Ring:
    """An io_uring of one entry, and its one registered buffer."""

    def __init__(self):
        params = bytearray(120)
        self._fd = checked(libc.syscall(
            _RING_SETUP, 1, (ctypes.c_char * len(params)).from_buffer(params)))
        sq_entries, self._cq_entries = struct.unpack_from("=II", params)
        self._sq_tail, = struct.unpack_from("=I", params, 44)
        self._sq_array, = struct.unpack_from("=I", params, 64)
        self._cq_head, = struct.unpack_from("=I", params, 80)
        self._cqes, = struct.unpack_from("=I", params, 100)
        self._sq_ring = self._map(_SQ_RING, self._sq_array + 4 * sq_entries)
        self._cq_ring = self._map(_CQ_RING, self._cqes + 16 * self._cq_entries)
        self._sqes = self._map(_SQES, 64 * sq_entries)
        self._done = 0
        self.buffer, self.address = _buffer()
        vector = struct.pack("@PN", self.address, SIZE)
        checked(libc.syscall(_RING_REGISTER, self._fd, _REGISTER_BUFFERS, vector, 1))

    def _map(self, offset, size):
        return mmap.mmap(self._fd, size, mmap.MAP_SHARED, offset=offset)

    def read(self, opcode, flags, descriptor):
        """Reads at offset 0 into the buffer. Returns: the length or the negative errno."""
        self._sqes[:64] = struct.pack("=BBHiQQIIQHHiQQ", opcode, flags, 0, descriptor, 0,
                                      self.address, SIZE, 0, 0, 0, 0, 0, 0, 0)
        entry = self._cqes + 16 * (self._done % self._cq_entries)
        self._done += 1
        struct.pack_into("=I", self._sq_ring, self._sq_tail, self._done)
        checked(libc.syscall(_RING_ENTER, self._fd, 1, 1, _GETEVENTS, None, 0))
        struct.pack_into("=I", self._cq_ring, self._cq_head, self._done)
        return struct.unpack_from("=i", self._cq_ring, entry + 8)[0]


@functools.lru_cache
def _ring(_pid):
    return _Ring()


def io_uring(descriptor, opcode=READ, entry_flags=0):
    """One read through an io_uring."""
    ring = _ring(os.getpid())
    return _result(ring.buffer, ring.read(opcode, entry_flags, descriptor))
