# SPDX-License-Identifier: GPL-2.0-or-later
"""What a service manager hears over a real NOTIFY_SOCKET: ready, states, watchdog, stopping.

The watchdog has to go on for an engine that only waits, and to end for one that hangs.
"""
import os
import signal
import socket
import time
import unittest

import calls
import support
from machine import IOMEM, MACHINE, QUICK, RAM, replace
from support import FAST, Foreground, Mount, daemons, new_directory, tree, wait_for


class Manager:
    """The socket that systemd would read; `name` is what NOTIFY_SOCKET says."""

    def __init__(self, abstract=False):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = os.path.join(new_directory("notify"), "socket")
        self.name = "@" + path if abstract else path
        self.socket.bind("\0" + path if abstract else path)
        self.heard = []

    def hear(self, seconds=0.0):
        """All lines of the messages so far, and of those within this time."""
        end = time.monotonic() + seconds
        while True:
            self.socket.settimeout(max(end - time.monotonic(), 0.001))
            try:
                self.heard += self.socket.recv(4096).decode().split("\n")
            except TimeoutError:
                return self.heard

    def wait(self, line, seconds=5.0):
        wait_for(lambda: any(line in heard for heard in self.hear()), seconds,
                 f"{line} in {self.heard}")

    def forget(self):
        """What was heard so far; the time."""
        self.hear()
        del self.heard[:]
        return time.monotonic()

    def count(self, line, seconds):
        """How often a line is heard in the time from now on."""
        self.forget()
        return self.hear(seconds).count(line)


def state(pid):
    """The letter of the process's first thread, such as T for stopped."""
    with open(f"/proc/{pid}/stat") as stream:
        return stream.read().rsplit(")", 1)[1].split()[0]


class Notify(unittest.TestCase):
    def manager(self, **keywords):
        manager = Manager(**keywords)
        self.addCleanup(manager.socket.close)
        return manager

    def test_ready_and_stopping(self):
        for abstract in (False, True):
            for enabled in ("N", "Y"):
                manager = self.manager(abstract=abstract)
                with self.subTest(abstract=abstract, enabled=enabled), \
                        Foreground(env={"NOTIFY_SOCKET": manager.name}, enabled=enabled) as mount:
                    manager.wait("READY=1")
                    self.assertEqual(manager.heard[:2], ["READY=1", f"MAINPID={mount.pid}"])
                    self.assertIn(f"monitoring is {'on' if enabled == 'Y' else 'off'}",
                                  manager.heard[2])
                    self.assertNotIn("STOPPING=1", manager.heard)
                    self.assertEqual(mount.end()[0], 0)
                    self.assertEqual(manager.hear().count("STOPPING=1"), 1)
                    self.assertEqual(manager.heard.count("READY=1"), 1)
                    self.assertNotIn("WATCHDOG=1", manager.heard)

    def test_ready_means_that_it_answers(self):
        """No reader that has waited for READY may find an empty directory or N."""
        for _ in range(10):
            manager = self.manager()
            mount = Foreground(env={"NOTIFY_SOCKET": manager.name}, enabled="Y")
            read = []
            mount.read = lambda name="enabled": b"Y\n"  # __enter__ shall not wait for it
            with mount:
                manager.wait("READY=1")
                read = Mount.read(mount)
            self.assertEqual(read, b"Y\n")

    def test_not_ready_before_monitoring_is_on(self):
        root = tree(MACHINE)
        os.unlink(os.path.join(root, IOMEM))
        os.mkfifo(os.path.join(root, IOMEM))
        manager = self.manager()
        mount = Foreground(env={"NOTIFY_SOCKET": manager.name}, ops="page_idle", rootfs=root,
                           enabled="Y", **QUICK)
        state = Mount.read
        mount.read = lambda name="enabled": b"Y\n"
        with mount:
            self.assertEqual(manager.hear(0.5), [])
            self.assertEqual(state(mount), b"N\n")
            with open(os.path.join(root, IOMEM), "w") as stream:
                stream.write(RAM)
            manager.wait("READY=1")
            self.assertEqual(state(mount), b"Y\n")
            wait_for(lambda: mount.end()[0] == 0, 5, "end")

    def test_states_are_told(self):
        manager = self.manager()
        with Foreground(env={"NOTIFY_SOCKET": manager.name}) as mount:
            manager.wait("monitoring is off")
            mount.write(b"Y")
            manager.wait("monitoring is on")
            mount.write(b"N")
            wait_for(lambda: len([line for line in manager.hear() if "is off" in line]) == 2, 2,
                     "the second time off")

    def test_umount_tells_stopping(self):
        manager = self.manager()
        with Foreground(env={"NOTIFY_SOCKET": manager.name}) as mount:
            manager.wait("READY=1")
            calls.umount(mount.path)
            self.assertEqual(mount.process.wait(support.STOP_SECONDS), 0)
            manager.wait("STOPPING=1")

    def test_a_failed_start_is_never_ready(self):
        manager = self.manager()
        mount = Mount(ops="page_idle", enabled="Y")
        done = support.run_daemon("-f", *mount.arguments(),
                                  env={**os.environ, "NOTIFY_SOCKET": manager.name})
        self.assertEqual((done.returncode, manager.hear()), (32, []), done.stderr)

    def test_in_the_background(self):
        """The process that was started ends, and the message says which one goes on."""
        manager, before = self.manager(), daemons()
        mount = Mount(enabled="Y")
        self.addCleanup(mount.clean)
        done = support.run_daemon(*mount.arguments(),
                                  env={**os.environ, "NOTIFY_SOCKET": manager.name})
        mount.pids = daemons() - before
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(manager.hear()[:2], ["READY=1", f"MAINPID={mount.pid}"])
        mount.stop()
        manager.wait("STOPPING=1")

    def test_nobody_listens(self):
        """An error line that names the socket; the mount works."""
        with Foreground(env={"NOTIFY_SOCKET": "/nonexistent/notify"}) as mount:
            wait_for(lambda: "NOTIFY_SOCKET=/nonexistent/notify" in mount.log(), 5, "the line")
            status, log = mount.end()
            self.assertEqual((status, log.count("NOTIFY_SOCKET")), (0, 1), log)
        with Foreground() as mount:
            self.assertNotIn("manager", mount.end()[1])


class Watchdog(unittest.TestCase):
    def start(self, usec=200000, watchdog_pid=None, **options):
        manager = Manager()
        self.addCleanup(manager.socket.close)
        env = {"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": str(usec)}
        if watchdog_pid:
            env["WATCHDOG_PID"] = str(watchdog_pid)
        mount = Foreground(env=env, **options)
        mount.__enter__()
        self.addCleanup(mount.clean)
        manager.wait("READY=1")
        return manager, mount

    def test_fed_at_half_the_time(self):
        """Whatever the engine does: off, sampling, waiting for 10 s, waiting for its budget."""
        table = ({}, {**FAST, "enabled": "Y"},
                 {"enabled": "Y", "sample_us": 10000000, "aggr_us": 10000000, "aggrs": 0},
                 {"enabled": "Y", "max_cpu": "0.001"})
        for options in table:
            with self.subTest(options):
                manager, mount = self.start(**options)
                self.check_period(manager, 0.1)
                self.assertEqual(mount.end()[0], 0)

    def check_period(self, manager, period):
        """Never more feeds than periods, and once, when the machine is not too busy, about as many."""
        begun, times = manager.forget(), []

        def is_regular():
            feeds = manager.hear().count("WATCHDOG=1")
            times.extend([time.monotonic() - begun] * (feeds - len(times)))
            self.assertLessEqual(feeds, times[-1] / period + 2 if times else 0)
            return any(late - early < 9 * period for early, late in zip(times, times[6:]))
        wait_for(is_regular, 10, f"7 feeds with a period of {period} s, not at {times}")

    def test_for_another_process(self):
        manager, mount = self.start(watchdog_pid=1)
        self.assertEqual(manager.count("WATCHDOG=1", 0.5), 0)
        mount.stop()

    def test_a_mount_that_hangs_starves_it(self):
        manager, mount = self.start(enabled="Y")
        self.is_fed(manager)
        mount.kill(signal.SIGSTOP)
        wait_for(lambda: state(mount.pid) == "T", what="the stop")
        self.assertEqual(manager.count("WATCHDOG=1", 0.5), 0)
        mount.kill(signal.SIGCONT)
        self.is_fed(manager)
        mount.stop()

    def is_fed(self, manager):
        """Again and again from now on."""
        manager.forget()
        wait_for(lambda: manager.hear().count("WATCHDOG=1") > 2, 5, "feeds")

    def test_an_engine_that_hangs_starves_it(self):
        """Its update of the memory ranges waits in the kernel: 5 s of patience, then nothing."""
        root = tree(MACHINE)
        manager, mount = self.start(ops="page_idle", rootfs=root, enabled="Y", update_us=1000000,
                                    **QUICK)
        pipe = os.path.join(root, "pipe")
        os.mkfifo(pipe)
        os.rename(pipe, os.path.join(root, IOMEM))
        wait_for(lambda: "watchdog is not fed" in mount.log(), 15, "the hang to be noticed")
        self.assertEqual(manager.count("WATCHDOG=1", 0.5), 0)
        self.assertEqual(mount.read(), b"Y\n")  # the mount itself answers
        with open(os.path.join(root, IOMEM), "w") as stream:
            stream.write(RAM)
        replace(root, IOMEM, RAM)
        self.is_fed(manager)
        self.assertEqual(mount.end()[0], 0)

    @unittest.skipIf(support.is_sanitized(), "8 s of waiting, for times that no sanitizer changes")
    def test_a_stall_of_both_threads(self):
        """After a pause of the machine the watchdog asks again when the engine has run, 1 s later.

        The timer goes off in the pause, which is longer than an engine may be silent, and the main
        thread is made to run first after it. The next feed by the period is 7 s later.
        """
        manager, mount = self.start(usec=14000000, enabled="Y", **FAST)
        started = time.monotonic()
        tasks = [int(task) for task in os.listdir(f"/proc/{mount.pid}/task")]
        engine = max(tasks)
        for task in tasks:
            os.sched_setaffinity(task, {min(os.sched_getaffinity(0))})
        os.sched_setscheduler(engine, os.SCHED_IDLE, os.sched_param(0))
        manager.hear(started + 0.8 - time.monotonic())
        mount.kill(signal.SIGSTOP)
        manager.hear(started + 7.2 - time.monotonic())
        self.assertNotIn("WATCHDOG=1", manager.heard)
        mount.kill(signal.SIGCONT)
        manager.hear(0.3)
        os.sched_setscheduler(engine, os.SCHED_OTHER, os.sched_param(0))
        manager.wait("WATCHDOG=1", 3.0)
        mount.wait_newer(mount.numbers())
        self.assertEqual(support.run_daemon("--status", mount.path).returncode, 0)
        status, log = mount.end()
        self.assertEqual(status, 0)
        self.assertNotIn("makes no progress", log)
