# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# The default budget of 1 % of one processor, first on an idle and mostly free guest (where a naive
# reader of the bitmap sees most of memory accessed), then beside the workload; with regions, as a page
# sample has a smallest size.
# shellcheck source=lib.sh
. /vm/lib.sh

start_daemon /mnt max_cpu=30,estimator=regions,refresh_ms=1000
judge quiet --settle 5 --seconds 20 --what "mostly free guest"
umount /mnt

# Free pages only, on an empty guest: a single one that counts as accessed shows.
free=$(checker free-range)
start_daemon /mnt "max_cpu=30,estimator=regions,refresh_ms=1000,ram=$free"
judge free --range "$free" --seconds 15
umount /mnt

start_workload --hot 512M --warm 512M --warm-period 5 --cold 1G
start_daemon /mnt estimator=regions
judge budget --seconds 60 --max-cpu 1
umount /mnt
finish
