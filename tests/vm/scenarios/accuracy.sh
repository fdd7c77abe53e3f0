# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# The main promise, with regions: readings near the truth beside a known workload. Afterwards the workload ends, and
# the GiB that it frees must not count as accessed.
# shellcheck source=lib.sh
. /vm/lib.sh

start_workload --hot 256M --warm 256M --warm-period 9.1 --cold 512M --cold-period 41
# A large region notices a pass over the cold part, which touches each page once, in turn, with a chance of
# 1 - 1/e: the page that it samples has to be among those touched in that interval. What hangs on that in single
# readings is printed.
start_daemon /mnt max_cpu=30,estimator=regions,seed=1
judge accuracy --max-cpu 30 --settle 30 --seconds 66 --limit-points 3 --limit-worst 13 --cold-again --note-cold
umount /mnt

# With short aggregations, for many readings: the guest's own few pages make a whole region count as
# accessed now and then.
start_daemon /mnt max_cpu=30,estimator=regions,seed=1,refresh_ms=1000,max_sample_us=20000
echo Y > /mnt/enabled
sleep 10
stop_workload
judge quiet --settle 12 --seconds 15 --what "memory freed by the workload"
umount /mnt
finish
