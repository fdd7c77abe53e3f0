# SPDX-License-Identifier: GPL-2.0-or-later
"""Readers by every way beside each other, and what is wrong with the texts that they get.

The file has the idle times of memory that is never accessed: 101 equal numbers, which grow until
monitoring is switched on anew. So each text shows how old it is, and whether it is whole.
"""
import collections
import itertools
import json
import mmap
import os
import random
import time
import traceback

from processes import wait_for
from read_ways import held_attempts, new_attempts, program_attempts

KINDS = ("whole", "errno", "cut", "stale", "padded", "other")
SWITCH_SECONDS = 2.0
CALLS_PER_PROGRAM = 200


def newest(descriptor):
    """The text by one call that does not refresh what the kernel knows of the file."""
    return os.pread(descriptor, 8192, 0)


def idle_ms(text):
    """The number that a whole text consists of; None if it is not whole."""
    words = text[:-1].split(b",")
    whole = text.endswith(b"\n") and len(words) == 101 and len(set(words)) == 1
    return int(words[0]) if whole and words[0].isdigit() else None


def judge(before, text, after):
    """What text is (of KINDS), when it was read after the one and before the other."""
    if b"\0" in text:
        return "padded"
    if not text.endswith(b"\n"):
        return "cut"
    oldest, shown, latest = map(idle_ms, (before, text, after))
    if shown is None:
        return "other"
    return "whole" if oldest <= shown <= latest else "stale"


def attempt(way, truth, before):
    """One reading. Returns: what it is, its text or error, and a newer text, by the descriptor truth."""
    try:
        text = way.read()
    except OSError as problem:
        return ("errno" if problem.errno == way.errno else "other"), problem, newest(truth)
    after = newest(truth)
    return judge(before, text, after), text, after


def _plan(calls, programs, seconds, seed):
    """The ways to read one after another: half of the time all readers use the same one, for then no
    other mends what it spoils, and then each takes any of the calls and now and then a program."""
    start, share, chance = time.monotonic(), seconds / 2, random.Random(seed)
    ways = calls + programs
    while (passed := time.monotonic() - start) < share:
        yield ways[int(passed / share * len(ways))]
    for turn in itertools.count(seed):
        yield from chance.choices(calls, k=CALLS_PER_PROGRAM)
        yield programs[turn % len(programs)]


def _reader(path, seconds, seed, switches):
    """Reads until the time is over. Returns: counts, and an example of each wrong kind."""
    truth, held = os.open(path, os.O_RDONLY), os.open(path, os.O_RDONLY)
    calls = new_attempts(path) + held_attempts(held)
    programs = program_attempts(path, held)
    counts, examples, end = collections.Counter(), {}, time.monotonic() + seconds
    earlier, before = switches[0], newest(truth)
    for way in _plan(calls, programs, seconds, seed):
        if time.monotonic() >= end:
            break
        current = switches[0]
        kind, answer, before = attempt(way, truth, before)
        if kind == "stale" and (earlier % 2 == 1 or earlier != switches[0]):
            kind = "whole"  # switched meanwhile: the idle time began anew
        earlier = current
        counts[way.name, kind] += 1
        if kind not in ("whole", "errno"):
            examples.setdefault(f"{way.name}: {kind}", repr(answer)[:100])
    return [[*key, number] for key, number in counts.items()], examples


def _switch(path, enabled, seconds, switches):
    """Switches monitoring on anew now and then, which makes the text short again. Counts when it begins
    to and when the first new text is there, so that the count is odd in between."""
    truth, switch = os.open(path, os.O_RDONLY), os.open(enabled, os.O_WRONLY)
    end = time.monotonic() + seconds
    while time.monotonic() < end - SWITCH_SECONDS / 2:
        time.sleep(min(SWITCH_SECONDS, seconds / 2))
        switches[0] = (switches[0] + 1) % 256
        os.write(switch, b"N")
        last = newest(truth)
        os.write(switch, b"Y")
        wait_for(lambda old=last: newest(truth) != old, what="new text")
        switches[0] = (switches[0] + 1) % 256
    return [], {}


def _start(call, *arguments):
    """A child that makes this call. Returns: its process id, and a stream of the result as JSON."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reading)
            with os.fdopen(writing, "w") as stream:
                json.dump(call(*arguments), stream)
            status = 0
        except BaseException:  # pylint: disable=broad-except
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writing)
    return child, os.fdopen(reading)


def storm(directory, seconds, readers=8):
    """Returns: how many readings of which kind each way had, and examples of the wrong ones."""
    path = os.path.join(directory, "memory_idle_ms_percentiles")
    switches = mmap.mmap(-1, 1)  # shared with the children
    children = [_start(_reader, path, seconds, seed, switches) for seed in range(readers)]
    children.append(_start(_switch, path, os.path.join(directory, "enabled"), seconds, switches))
    counts, examples = collections.defaultdict(collections.Counter), {}
    for child, stream in children:
        with stream:
            found = stream.read()
        if os.waitpid(child, 0)[1] != 0:
            raise AssertionError(f"reader {child} did not end well")
        some_counts, some_examples = json.loads(found)
        for name, kind, number in some_counts:
            counts[name][kind] += number
        examples.update(some_examples)
    return counts, examples


def wrong(counts):
    """How many readings are neither whole nor the errno that the way may answer."""
    return sum(row[kind] for row in counts.values() for kind in KINDS[2:])


def table(counts):
    """The counts as lines of text."""
    total = sum(counts.values(), collections.Counter())
    rows = [("way", KINDS)]
    rows += [(name, [row[kind] for kind in KINDS]) for name, row in [*sorted(counts.items()), ("all", total)]]
    return "\n".join(f"{name:28}" + "".join(f"{cell:>9}" for cell in cells) for name, cells in rows)
