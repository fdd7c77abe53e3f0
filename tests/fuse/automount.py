# SPDX-License-Identifier: GPL-2.0-or-later
"""A direct automount, as systemd makes one of x-systemd.automount in fstab.

A process that opens a file in the directory waits in the kernel until the automounter has mounted
something on it. Only processes of the automounter's process group see what is there without waiting.
"""
import fcntl
import json
import os
import select
import signal
import socket
import struct
import subprocess
import tempfile

import calls
from processes import BASE

AUTOFS_IOC_READY, AUTOFS_IOC_FAIL, AUTOFS_IOC_CATATONIC = 0x9360, 0x9361, 0x9362
TOKEN_AT, PACKET_BYTES = 8, 4096  # of struct autofs_v5_packet
COMMAND_SECONDS = 5


def refusal():
    """Why there are no automounts here, or None."""
    with open("/proc/filesystems", encoding="ascii") as stream:
        return None if "\tautofs\n" in stream.read() else "the kernel has no autofs"


class Automount:
    """The automounter is a child process; `command` mounts something on `path`."""

    def __init__(self, path, command):
        self.path, self.command = path, command
        self.socket, other = socket.socketpair()
        self.child = os.fork()
        if self.child == 0:
            try:
                self.socket.close()
                self._serve(other)
            finally:
                os._exit(0)
        other.close()
        self.socket.settimeout(2 * COMMAND_SECONDS)
        self._heard()  # the automount is there

    def start(self, name="enabled"):
        """Begins to read a file, as a process that is no part of the automounter."""
        return subprocess.Popen(["cat", os.path.join(self.path, name)], start_new_session=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)

    def mounted(self):
        """What has come of the command that a reader has triggered: exit status and output."""
        return self._heard()

    def mount(self):
        """The command once more without a reader, as systemctl restart does it."""
        self.socket.send(b"\0")
        return self._heard()

    def end(self):
        """Takes all mounts off; a process that still waits gets an errno."""
        calls.outcome(os.kill, self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
        self.socket.close()
        while calls.outcome(calls.umount, self.path, calls.MNT_DETACH) == "ok":
            pass

    def _heard(self):
        return json.loads(self.socket.recv(65536))

    def _serve(self, control):
        os.setpgid(0, 0)
        reading, writing = os.pipe()
        data = f"fd={writing},pgrp={os.getpgrp()},minproto=5,maxproto=5,direct".encode()
        calls.checked(calls.libc.mount(b"systemd-1", os.fsencode(self.path), b"autofs", 0, data))
        root = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        control.send(b"0")
        while True:
            ready = select.select([reading, control], [], [])[0]
            if control in ready and not control.recv(1):
                fcntl.ioctl(root, AUTOFS_IOC_CATATONIC, 0)
                return
            token = None
            if reading in ready:
                token = struct.unpack_from("I", os.read(reading, PACKET_BYTES), TOKEN_AT)[0]
            status, text = self._run()
            if token is not None:
                request = AUTOFS_IOC_READY if status == 0 else AUTOFS_IOC_FAIL
                fcntl.ioctl(root, request, token)
            control.send(json.dumps([status, text]).encode())

    def _run(self):
        """The command, in the automounter's process group."""
        with tempfile.TemporaryFile(dir=BASE or None) as output:
            try:
                status = subprocess.run(self.command, stdin=subprocess.DEVNULL, stdout=output,
                                        stderr=output, timeout=COMMAND_SECONDS,
                                        check=False).returncode
            except subprocess.TimeoutExpired:
                status = "hangs"
            output.seek(0)
            return status, output.read().decode(errors="replace")
