# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# The budget of 1 % of one processor, first on an idle and mostly free guest (where a naive reader of the bitmap sees
# most of memory accessed), then beside the workload, with regions; then that of a page sample. One percent is little
# here: this processor does 125 million instructions a second.
# shellcheck source=lib.sh
. /vm/lib.sh

quiet_log() { ! grep "too little" /tmp/log; }

start_daemon /mnt max_cpu=30,estimator=regions,seed=1,refresh_ms=1000
judge quiet --settle 5 --seconds 20 --what "mostly free guest"
umount /mnt

# Free pages only, on an empty guest: a single one that counts as accessed shows.
free=$(checker free-range)
start_daemon /mnt "max_cpu=30,estimator=regions,seed=1,refresh_ms=1000,ram=$free"
judge free --range "$free" --seconds 15
umount /mnt

start_workload --hot 256M --warm 256M --warm-period 9.1 --cold 512M
start_daemon /mnt estimator=regions,seed=1
judge budget --seconds 40 --max-cpu 1
umount /mnt

# The page sample has a smallest size: what keeps it inside this budget is that size, and less is too little.
start_logged /mnt seed=1,max_cpu=3
judge budget --seconds 30 --max-cpu 3
report "3 % are enough for the smallest page sample" quiet_log
umount /mnt
start_logged /mnt seed=1,max_cpu=1
judge budget --seconds 30 --max-cpu 3
report "1 % is not, and the log says so" logged "too little"
umount /mnt
finish
