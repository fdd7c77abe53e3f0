# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# The page sample, which is the default, of free pages alone, beside a known workload, while much memory is free, and
# afterwards, when what the workload has freed must not count as accessed. Memory that cannot be seen is told apart.
# shellcheck source=lib.sh
. /vm/lib.sh

free=$(checker free-range)
start_daemon /mnt "max_cpu=30,seed=1,refresh_ms=1000,ram=$free"
judge free --range "$free" --seconds 15
umount /mnt

start_workload --hot 256M --warm 256M --warm-period 9.1 --cold 512M --cold-period 41
start_daemon /mnt max_cpu=30,seed=1
judge accuracy --max-cpu 5 --settle 20 --seconds 66 --limit-points 1 --limit-worst 2 --limit-idle 2 --cold-again --limit-cold 15
damon-statfs --status /mnt
free_mib=$(sed -n 's/^MemFree: *\([0-9]*\).*/\1/p' /proc/meminfo)
free_mib=$((free_mib / 1024))
untracked_mib=$(($(status untracked_bytes) >> 20))
echo "INFO $SCENARIO: $free_mib MiB are free, $untracked_mib MiB cannot be tracked"
report "what cannot be tracked is what is free" [ $((untracked_mib + 60)) -ge "$free_mib" ]
report "and at most 400 MiB more" [ "$untracked_mib" -le $((free_mib + 400)) ]
stop_workload
judge quiet --settle 12 --seconds 15 --limit-points 1 --limit-worst 2 \
  --what "memory freed by the workload"
umount /mnt
finish
