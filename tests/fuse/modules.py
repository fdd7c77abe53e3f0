# SPDX-License-Identifier: GPL-2.0-or-later
"""Which test modules there are, in which order they begin, and which of them concern threads."""
import os
import re

# These take longest, so they begin first, and none of them is left for the end alone.
LONGEST = ("test_supervision", "test_page_idle_bits", "test_page_idle_files", "test_memory", "test_connection",
           "test_engine_limits", "test_slow_start", "test_interrupted_start", "test_pages", "test_mount_lock",
           "test_bad_options", "test_splice", "test_quickstart")
# The thread sanitizer runs all modules but these. A module is left out when its daemons have no engine
# thread, or one that no test starts, stops, signals or reads from while it works: names, modes, options,
# what mount(8) passes, refused starts, and the numbers that the engine finds by itself.
WITHOUT_THREADS = ("test_attributes", "test_bad_options", "test_completion", "test_descriptors", "test_directory",
                   "test_environment", "test_fstab", "test_hidden_files", "test_kernel_rights", "test_limits",
                   "test_memory", "test_mount_helper", "test_mount_lock", "test_mount_table", "test_names", "test_open",
                   "test_page_idle_bits", "test_pages", "test_printable", "test_privileges", "test_probe",
                   "test_quickstart", "test_read", "test_regions",
                   "test_stacked", "test_unprivileged")


def all_modules(directory):
    names = sorted(re.findall(r"(?m)^(test_\w+)\.py$", "\n".join(os.listdir(directory))))
    unknown = {*LONGEST, *WITHOUT_THREADS} - set(names)
    if unknown:
        raise ValueError(f"tests/fuse/modules.py names modules that do not exist: {sorted(unknown)}")
    return names


def plan(directory, threads=False):
    """The modules in the order to begin them: all, or those that concern threads."""
    names = [name for name in all_modules(directory) if not (threads and name in WITHOUT_THREADS)]
    return [name for name in LONGEST if name in names] + [name for name in names if name not in LONGEST]
