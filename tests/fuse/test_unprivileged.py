# SPDX-License-Identifier: GPL-2.0-or-later
"""What an unprivileged user gets: nothing of the contents, everything of the directory.

No mount option may be needed for that, so the mounts here are made without and with them.
"""
import os
import unittest

import calls
from support import AGGR, ENABLED, FILES, IDLE, NOBODY, Mount, MountCase


def as_nobody(call, *arguments):
    return calls.in_child(call, *arguments, uid=NOBODY)


class Unprivileged(MountCase):
    options = {"abi": "7.2"}

    def nobody(self, call, name, *arguments):
        return as_nobody(calls.outcome, call, self.mount.file(name), *arguments)

    def test_every_open_is_refused(self):
        for name in FILES["7.2"]:
            for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_TRUNC, 3,
                          os.O_RDONLY | os.O_NONBLOCK):
                with self.subTest(name, flags=flags):
                    answer = as_nobody(calls.try_open, self.mount.file(name), flags)
                    self.assertEqual(answer, "EACCES")

    def test_looking_is_allowed(self):
        def look(path):
            os.close(os.open(path, os.O_PATH))
            info = os.stat(path)
            return [info.st_size, info.st_mode & 0o777, os.access(path, os.F_OK),
                    os.access(path, os.R_OK)]
        for name in FILES["7.2"]:
            with self.subTest(name):
                mode = 0o600 if name == ENABLED else 0o400
                self.assertEqual(as_nobody(look, self.mount.file(name)), [4096, mode, True, False])

    def test_listing_is_allowed(self):
        self.assertEqual(as_nobody(os.listdir, self.mount.path), list(FILES["7.2"]))

    def test_statvfs_is_allowed(self):
        self.assertEqual(as_nobody(calls.outcome, os.statvfs, self.mount.path), "ok")

    def test_inherited_descriptor_works(self):
        descriptor = self.opened(ENABLED, os.O_RDWR)

        def use():
            return [os.pread(descriptor, 10, 0).decode(), os.pwrite(descriptor, b"Y", 0),
                    os.pread(descriptor, 10, 0).decode(), os.pwrite(descriptor, b"N", 0),
                    os.pread(descriptor, 10, 0).decode()]
        self.assertEqual(as_nobody(use), ["N\n", 1, "Y\n", 1, "N\n"])

    def test_inherited_read_only_descriptor_works(self):
        descriptor = self.opened(IDLE)
        self.assertTrue(as_nobody(lambda: os.read(descriptor, 4096).decode()).endswith("0\n"))

    def test_attributes_are_refused(self):
        table = ((os.chmod, (0o666,), "EPERM"), (os.chown, (NOBODY, NOBODY), "EPERM"),
                 (os.utime, ((1, 1),), "EPERM"), (os.utime, (), "EACCES"),
                 (os.truncate, (0,), "EACCES"))
        for call, arguments, answer in table:
            with self.subTest(call.__name__, arguments=arguments):
                self.assertEqual(self.nobody(call, ENABLED, *arguments), answer)
        info = os.stat(self.mount.file(ENABLED))
        self.assertEqual((info.st_mode & 0o7777, info.st_uid), (0o600, 0))

    def test_names_are_refused(self):
        for call, name, arguments in ((os.unlink, ENABLED, ()), (os.mkdir, "new", ()),
                                      (os.mkfifo, "new", ()), (os.unlink, IDLE, ())):
            with self.subTest(call.__name__, name=name):
                self.assertEqual(self.nobody(call, name, *arguments), "EACCES")

    def test_xattrs(self):
        table = ((os.getxattr, ("user.a",), "EACCES"), (os.getxattr, ("security.a",), "ENODATA"),
                 (os.setxattr, ("trusted.a", b"1"), "EPERM"),
                 (os.setxattr, ("security.a", b"1"), "EPERM"))
        for call, arguments, answer in table:
            with self.subTest(call.__name__, arguments=arguments):
                self.assertEqual(self.nobody(call, AGGR, *arguments), answer)

    def test_chmod_of_root_opens_the_file_to_others(self):
        path = self.mount.file(IDLE)
        self.addCleanup(os.chmod, path, 0o400)
        os.chmod(path, 0o444)
        self.assertEqual(as_nobody(calls.try_open, path, os.O_RDONLY), "ok")
        os.chmod(path, 0o400)
        self.assertEqual(as_nobody(calls.try_open, path, os.O_RDONLY), "EACCES")

    def test_closed_directory(self):
        self.addCleanup(os.chmod, self.mount.path, 0o755)
        os.chmod(self.mount.path, 0o700)
        self.assertEqual(as_nobody(calls.outcome, os.stat, self.mount.file(IDLE)), "EACCES")
        self.assertEqual(as_nobody(calls.outcome, os.listdir, self.mount.path), "EACCES")


class Options(unittest.TestCase):
    def test_no_option_weakens_it(self):
        for words in ("", "allow_other", "default_permissions", "allow_other,default_permissions",
                      "rw,dev,suid", "defaults"):
            with self.subTest(words), Mount(words) as mount:
                answers = {calls.in_child(calls.try_open, mount.file(name), flags, uid=NOBODY)
                           for name in FILES["6.17"] for flags in (os.O_RDONLY, os.O_WRONLY)}
                self.assertEqual(answers, {"EACCES"})
                self.assertEqual(as_nobody(os.listdir, mount.path), list(FILES["6.17"]))
