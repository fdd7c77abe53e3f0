# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# The main promise, with regions: readings near the truth beside a known workload. Afterwards the workload ends, and
# the 2 GiB that it frees must not count as accessed.
# shellcheck source=lib.sh
. /vm/lib.sh

start_workload --hot 512M --warm 512M --warm-period 5 --cold 1G
start_daemon /mnt max_cpu=30,estimator=regions
judge accuracy --max-cpu 30 --settle 60 --seconds 66
umount /mnt

# With short aggregations, for many readings: the guest's own few pages make a whole region count as
# accessed now and then.
start_daemon /mnt max_cpu=30,estimator=regions,refresh_ms=1000,max_sample_us=20000
echo Y > /mnt/enabled
sleep 10
stop_workload
judge quiet --settle 12 --seconds 25 --what "memory freed by the workload"
umount /mnt
finish
