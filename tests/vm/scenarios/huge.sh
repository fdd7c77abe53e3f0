# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# The same as accuracy, with the hot part on transparent huge pages: page_idle knows their head pages
# only, so a reader that ignores that sees 511 of 512 pages wrong.
# shellcheck source=lib.sh
. /vm/lib.sh

start_workload --hot 256M --warm 256M --warm-period 9.1 --cold 512M --cold-period 41 --thp
# A large region notices a pass over the cold part, which touches each page once, in turn, with a chance of
# 1 - 1/e: the page that it samples has to be among those touched in that interval. What hangs on that in single
# readings is printed.
start_daemon /mnt max_cpu=30,estimator=regions,seed=1
judge accuracy --max-cpu 30 --settle 30 --seconds 51 --limit-points 3 --limit-worst 13 --cold-again --note-cold
umount /mnt

# Single pages, which share the answers of their folios.
start_daemon /mnt max_cpu=30,seed=1
judge accuracy --max-cpu 5 --settle 15 --seconds 51 --limit-points 1 --limit-worst 2 --limit-idle 2 --cold-again --limit-cold 15
umount /mnt
finish
