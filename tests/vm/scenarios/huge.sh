# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# The same as accuracy, with the hot part on transparent huge pages: page_idle knows their head pages
# only, so a reader that ignores that sees 511 of 512 pages wrong.
# shellcheck source=lib.sh
. /vm/lib.sh

start_workload --hot 512M --warm 512M --warm-period 5 --cold 1G --thp
start_daemon /mnt max_cpu=30,estimator=regions
judge accuracy --max-cpu 30 --settle 60 --seconds 66
umount /mnt

# Single pages, which share the answers of their folios.
start_daemon /mnt max_cpu=30,estimator=pages
judge accuracy --max-cpu 30 --settle 15 --seconds 45 --limit-1s 2 --limit-6s 2
umount /mnt
finish
