# SPDX-License-Identifier: GPL-2.0-or-later
"""Every way to write to `enabled`: lengths, offsets, flags, vectors, pipes, redirections.

The offset never matters, at most 4096 bytes are taken, and one call is one value.
"""
import os
import subprocess

import calls
from support import ENABLED, Mount, MountCase


class Write(MountCase):
    options = {"abi": "7.2"}

    def setUp(self):
        self.mount.write(b"N")

    def state(self):
        return self.mount.read().decode().strip()

    def test_returns_at_most_4096(self):
        for size in (1, 2, 100, 4095, 4096, 4097, 5000, 8192, 100000, 1 << 20, (1 << 20) + 1):
            for first in (b"Y", b"N"):
                with self.subTest(size=size, first=first):
                    descriptor = self.opened(ENABLED, os.O_WRONLY)
                    data = first + b" " * (size - 1)
                    self.assertEqual(os.write(descriptor, data), min(size, 4096))
                    self.assertEqual(os.lseek(descriptor, 0, os.SEEK_CUR), min(size, 4096))
                    self.assertEqual(self.state(), first.decode())

    def test_offset_is_ignored(self):
        descriptor = self.opened(ENABLED, os.O_RDWR)
        for offset in (0, 1, 2, 4095, 4096, 4097, 1 << 20, 1 << 40, (1 << 63) - 16):
            for data in (b"Y\n", b"N\n"):
                with self.subTest(offset=offset, data=data):
                    self.assertEqual(os.pwrite(descriptor, data, offset), 2)
                    self.assertEqual(os.pread(descriptor, 10, 0), data)
                    self.assertEqual(os.fstat(descriptor).st_size, 4096)

    def test_long_text_at_an_offset(self):
        descriptor = self.opened(ENABLED, os.O_WRONLY)
        self.assertEqual(os.pwrite(descriptor, b"Y" + b" " * 5000, 100), 4096)
        self.assertEqual(self.state(), "Y")

    def test_negative_offset(self):
        descriptor = self.opened(ENABLED, os.O_WRONLY)
        self.assertEqual(calls.outcome(os.pwrite, descriptor, b"Y", -1), "EINVAL")
        self.assertEqual(self.state(), "N")

    def test_zero_length(self):
        descriptor = self.opened(ENABLED, os.O_WRONLY)
        self.assertEqual(os.write(descriptor, b""), 0)
        self.assertEqual(os.pwrite(descriptor, b"", 100), 0)
        self.assertEqual(self.state(), "N")

    def test_position_moves_by_what_was_taken(self):
        descriptor = self.opened(ENABLED, os.O_WRONLY)
        os.write(descriptor, b"Yes\n")
        self.assertEqual(os.lseek(descriptor, 0, os.SEEK_CUR), 4)
        os.write(descriptor, b"N")
        self.assertEqual(os.lseek(descriptor, 0, os.SEEK_CUR), 5)

    def test_invalid_moves_and_changes_nothing(self):
        for state in ("N", "Y"):
            self.mount.write(state.encode())
            descriptor = self.opened(ENABLED, os.O_WRONLY)
            self.assertEqual(calls.outcome(os.write, descriptor, b"maybe"), "EINVAL")
            self.assertEqual(os.lseek(descriptor, 0, os.SEEK_CUR), 0)
            self.assertEqual(self.state(), state)

    def test_two_writes_on_one_descriptor(self):
        descriptor = self.opened(ENABLED, os.O_WRONLY)
        for state in "YNYYNN":
            self.assertEqual(os.write(descriptor, state.encode()), 1)
            self.assertEqual(self.state(), state)

    def test_vector_is_gathered(self):
        table = (([b"o", b"n\n"], "Y", 3), ([b"o", b"f", b"f"], "N", 3), ([b"", b"Y"], "Y", 1),
                 ([b"N", b"Y"], "N", 2), ([b"Y"] + [b" "] * 200, "Y", 201),
                 ([b"N" * 4000, b"Y" * 4000], "N", 4096))
        for parts, state, size in table:
            with self.subTest(parts[:3]):
                descriptor = self.opened(ENABLED, os.O_WRONLY)
                self.assertEqual(os.writev(descriptor, parts), size)
                self.assertEqual(self.state(), state)

    def test_vector_can_be_invalid(self):
        descriptor = self.opened(ENABLED, os.O_WRONLY)
        self.assertEqual(calls.outcome(os.writev, descriptor, [b"o", b"x"]), "EINVAL")
        self.assertEqual(os.writev(descriptor, [b"", b""]), 0)

    def test_open_flags_have_no_effect(self):
        for flags in (os.O_APPEND, os.O_TRUNC, os.O_NONBLOCK, os.O_SYNC, os.O_DSYNC, os.O_CREAT,
                      os.O_APPEND | os.O_TRUNC | os.O_NONBLOCK | os.O_SYNC):
            with self.subTest(flags=oct(flags)):
                descriptor = self.opened(ENABLED, os.O_RDWR | flags)
                for state in (b"Y\n", b"N\n"):
                    self.assertEqual(os.write(descriptor, state), 2)
                    self.assertEqual(os.pread(descriptor, 10, 0), state)

    def test_opening_with_truncation_is_not_a_write(self):
        self.mount.write(b"Y")
        os.close(self.mount.open(ENABLED, os.O_WRONLY | os.O_TRUNC))
        self.assertEqual(self.state(), "Y")

    def test_write_does_not_disturb_the_reader_of_the_same_descriptor(self):
        descriptor = self.opened(ENABLED, os.O_RDWR)
        self.assertEqual(os.pread(descriptor, 1, 0), b"N")
        os.pwrite(descriptor, b"Y", 0)
        self.assertEqual(os.pread(descriptor, 1, 1), b"\n")
        self.assertEqual(os.pread(descriptor, 10, 0), b"Y\n")

    def test_nowait_is_not_supported(self):
        descriptor = self.opened(ENABLED, os.O_WRONLY)
        answer = calls.outcome(os.pwritev, descriptor, [b"Y"], 0, calls.RWF_NOWAIT)
        self.assertEqual(answer, "EOPNOTSUPP")
        self.assertEqual(self.state(), "N")

    def test_bad_pointer(self):
        descriptor = self.opened(ENABLED, os.O_WRONLY)
        answer = calls.outcome(lambda: calls.checked(calls.libc.write(descriptor, 8, 1)))
        self.assertEqual(answer, "EFAULT")
        self.assertEqual(self.state(), "N")

    def test_splice_in(self):
        descriptor = self.opened(ENABLED, os.O_WRONLY)
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        self.addCleanup(os.close, writing)
        for state in (b"on\n", b"off\n"):
            os.write(writing, state)
            self.assertEqual(os.splice(reading, descriptor, len(state)), len(state))
            self.assertEqual(self.state(), "Y" if state == b"on\n" else "N")

    def test_sendfile_in(self):
        for text, state in ((b"Yes\n", "Y"), (b"No\n", "N")):
            path = os.path.join(self.mount.root, "input")
            with open(path, "wb") as stream:
                stream.write(text)
            source = os.open(path, os.O_RDONLY)
            self.addCleanup(os.close, source)
            descriptor = self.opened(ENABLED, os.O_WRONLY)
            self.assertEqual(os.sendfile(descriptor, source, 0, 100), len(text))
            self.assertEqual(self.state(), state)

    def test_copy_file_range_from_another_filesystem(self):
        path = os.path.join(self.mount.root, "input")
        with open(path, "wb") as stream:
            stream.write(b"Y\n")
        source = os.open(path, os.O_RDONLY)
        self.addCleanup(os.close, source)
        descriptor = self.opened(ENABLED, os.O_WRONLY)
        self.assertEqual(calls.outcome(os.copy_file_range, source, descriptor, 2), "EXDEV")

    def test_shell_redirections(self):
        for command, state in (("echo Y > enabled", "Y"), ("echo N >> enabled", "N"),
                               ("printf 1 | tee enabled", "Y"), ("printf off >| enabled", "N"),
                               ("echo Y | dd of=enabled status=none", "Y"),
                               ("echo N | dd of=enabled conv=notrunc,fsync status=none", "N"),
                               ("echo Y 1<> enabled", "Y"), ("printf N | cat > enabled", "N")):
            with self.subTest(command):
                subprocess.run(["sh", "-c", command], cwd=self.mount.path, check=True,
                               stdout=subprocess.DEVNULL, timeout=10)
                self.assertEqual(self.state(), state)

    def test_shell_sees_the_error(self):
        done = subprocess.run(["sh", "-c", "echo junk > enabled"], cwd=self.mount.path, check=False,
                              stderr=subprocess.PIPE, timeout=10)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, b"(?i)invalid argument|I/O error")  # dash knows one sentence only

    def test_read_only_mount(self):
        with Mount("ro", enabled="Y") as mount:
            self.assertEqual(calls.try_open(mount.file(ENABLED), os.O_WRONLY), "EROFS")
            self.assertEqual(mount.read(), b"Y\n")
