# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# QEMU: -m 2G -machine pc,max-ram-below-4g=1G
# QEMU: -object memory-backend-ram,id=low,size=1G -numa node,nodeid=0,memdev=low,cpus=0
# QEMU: -object memory-backend-ram,id=high,size=1G -numa node,nodeid=1,memdev=high
#
# Two NUMA nodes with a hole of 3 GiB between them: both are monitored and the hole is not, and the shares are right for
# a workload whose hot and warm parts lie on the upper node, and whose cold part on both.
# shellcheck source=lib.sh
. /vm/lib.sh
# shellcheck source=kdamonds.sh
. /vm/kdamonds.sh

nodes=/sys/devices/system/node
used_mib() { sed -n "s/^Node $1 MemUsed: *\([0-9]*\) kB/\1/p" $nodes/node"$1"/meminfo | awk '{ printf "%d", $1 / 1024 }'; }

# Of the largest gap between two ranges of System RAM; after ram_mib.
hole_mib() {
  hole=0 end=0
  while IFS=- read -r first last; do
    [ $((0x$first - end)) -le $hole ] || hole=$((0x$first - end))
    end=$((0x$last + 1))
  done < /tmp/ram
  echo $((hole >> 20))
}

ram=$(ram_mib)
report "two nodes are online: $(cat $nodes/online)" [ "$(cat $nodes/online)" = 0-1 ]
report "with a hole between them: $(hole_mib) MiB" [ "$(hole_mib)" -ge 3000 ]

stat_off
limits=$(kdamond_limits)
start_workload --node 1 --hot 256M --warm 256M --warm-period 9.1 --cold 768M
report "the lower node is in use: $(used_mib 0) MiB" [ "$(used_mib 0)" -ge 250 ]
report "the upper node is in use: $(used_mib 1) MiB" [ "$(used_mib 1)" -ge 750 ]
start_logged /mnt ops=kdamond
# shellcheck disable=SC2086 # words
judge accuracy --settle 20 --seconds 81 $limits
report "both nodes and no more are monitored: $(($(status monitored_bytes) >> 20)) of $ram MiB" monitors "$ram"
report "unmounts" umount /mnt
report "the process ends within 5 s" within 5 gone
report "no kdamond is left" no_kdamond
report "nothing is left staged" nothing_staged
finish
