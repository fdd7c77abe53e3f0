# SPDX-License-Identifier: GPL-2.0-or-later
"""Which texts switch the engine on and off, and which are refused: the kernel's boolean parser.

The full tables, for every abi; only the first characters count.
"""
import unittest

import calls
from support import Mount

TRUE = [b"Y", b"y", b"T", b"t", b"1", b"Y\n", b"y\n", b"1\n", b"on", b"ON", b"On", b"oN", b"on\n",
        b"Yes", b"yes\n", b"true", b"TRUE\n", b"10", b"one", b"YN", b"Y\0junk", b"Y\nN\n", b"1N",
        b"onN", b"Y" * 4096, b"y" + b" " * 4095, b"t\xff", b"Y" + b"N" * 10000]
FALSE = [b"N", b"n", b"F", b"f", b"0", b"N\n", b"n\n", b"0\n", b"off", b"OFF", b"of", b"Of", b"oF",
         b"off\n", b"No", b"no\n", b"false", b"FALSE\n", b"01", b"0x1", b"NY", b"N\0Y", b"N\nY\n",
         b"offY", b"N" * 4096, b"n" + b" " * 4095, b"f\xff", b"N" + b"Y" * 10000]
ENABLE = [b"E", b"e", b"enable", b"Enable\n", b"ENABLED"]
DISABLE = [b"D", b"d", b"disable", b"Disable\n", b"DISABLED"]
INVALID = [b"2", b"-1", b"+1", b"o", b"o\n", b"O", b"ox", b"o n", b" Y", b"\tY", b"\n", b"\nY",
           b" ", b"\0", b"\0Y", b"\xff", b" " * 4096, b" " * 4096 + b"Y", b"x", b"3", b"9", b"a",
           b"A", b"z", b"\x80Y", b"'Y'", b"=Y", b"o\0n", b"o0", b".", b"\r\n"]
ABIS = ("6.17", "6.18", "7.2")


class Parse(unittest.TestCase):
    def run_table(self, abi, inputs, before, after, answer):
        """Each input, written in state `before`, answers `answer` and leads to state `after`."""
        with Mount(abi=abi) as mount:
            for data in inputs:
                with self.subTest(data[:20], size=len(data), abi=abi):
                    mount.write(before)
                    self.assertEqual(calls.outcome(mount.write, data), answer)
                    self.assertEqual(mount.read(), after + b"\n")

    def test_true(self):
        for abi in ABIS:
            self.run_table(abi, TRUE, b"N", b"Y", "ok")

    def test_false(self):
        for abi in ABIS:
            self.run_table(abi, FALSE, b"Y", b"N", "ok")

    def test_enable_since_6_18(self):
        self.run_table("6.17", ENABLE, b"N", b"N", "EINVAL")
        self.run_table("6.18", ENABLE, b"N", b"Y", "ok")
        self.run_table("7.2", ENABLE, b"N", b"Y", "ok")

    def test_disable_since_6_18(self):
        self.run_table("6.17", DISABLE, b"Y", b"Y", "EINVAL")
        self.run_table("6.18", DISABLE, b"Y", b"N", "ok")
        self.run_table("7.2", DISABLE, b"Y", b"N", "ok")

    def test_invalid_changes_nothing(self):
        for abi in ABIS:
            for state in (b"N", b"Y"):
                self.run_table(abi, INVALID, state, state, "EINVAL")

    def test_every_first_byte(self):
        """All 256 single bytes, in 7.2."""
        yes, no = b"YyTt1Ee", b"NnFf0Dd"
        with Mount(abi="7.2") as mount:
            state = b"N\n"
            for byte in range(256):
                expected = "ok" if byte in yes + no else "EINVAL"
                with self.subTest(byte=byte):
                    self.assertEqual(calls.outcome(mount.write, bytes([byte])), expected)
                    state = b"Y\n" if byte in yes else b"N\n" if byte in no else state
                    self.assertEqual(mount.read(), state)

    def test_every_second_letter_after_o(self):
        with Mount(abi="7.2") as mount:
            state = b"N\n"
            for byte in range(256):
                expected = "ok" if byte in b"nNfF" else "EINVAL"
                with self.subTest(byte=byte):
                    answer = calls.outcome(mount.write, b"o" + bytes([byte]))
                    self.assertEqual(answer, expected)
                    state = b"Y\n" if byte in b"nN" else b"N\n" if byte in b"fF" else state
                    self.assertEqual(mount.read(), state)

    def test_same_value_is_success(self):
        with Mount(abi="7.2") as mount:
            for data in (b"N", b"0", b"off"):
                self.assertEqual(mount.write(data), len(data))
                self.assertEqual(mount.read(), b"N\n")
            mount.write(b"Y")
            thread = mount.value("kdamond_pid")
            for data in (b"Y", b"1\n", b"enable"):
                self.assertEqual(mount.write(data), len(data))
                self.assertEqual(mount.value("kdamond_pid"), thread, "nothing was restarted")
