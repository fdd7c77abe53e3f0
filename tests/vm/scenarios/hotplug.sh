# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# QEMU: -m 1G,slots=1,maxmem=2G -object memory-backend-ram,id=memory,size=512M
# Monitor: yes
#
# Memory is plugged in, used, set aside and unplugged while a kdamond of ours runs: what is monitored follows, the shares
# stay right beside the workload, and the log says each time how much memory there is.
# shellcheck source=lib.sh
. /vm/lib.sh
# shellcheck source=kdamonds.sh
. /vm/kdamonds.sh

blocks=/sys/devices/system/memory

monitor() { echo "MONITOR: $*"; }
list_blocks() { find $blocks -maxdepth 1 -name 'memory[0-9]*'; }
nr_blocks() { # without a fork
  set -- $blocks/memory[0-9]*
  [ $# = "$nr_wanted" ]
}

# wait_busy COMMAND...: a guest that sleeps skips the time until it wakes up, and the host would never act within it.
wait_busy() {
  tries=0
  until "$@"; do
    tries=$((tries + 1))
    [ $tries -lt 300000 ] || return 1
  done
}

# set_blocks STATE: of the memory that was plugged in.
set_blocks() {
  for block in $plugged; do
    echo "$1" > "$block/state" || return 1
  done
}

# follows WHAT MEBIBYTES: on top of what there was at first.
follows() {
  report "$1: $((ram + $2)) MiB are monitored within 10 s" within 10 monitors $((ram + $2))
  report "$1: the log says so" logged "memory has changed: $((ram + $2)) MiB"
  report "$1: monitoring goes on" reads /mnt Y
}

stat_off
limits=$(kdamond_limits)
echo offline > $blocks/auto_online_blocks
ram=$(ram_mib)
before=$(list_blocks | wc -l)
start_workload --hot 128M --warm 128M --warm-period 9.1 --cold 256M
start_logged /mnt ops=kdamond,update_us=3000000
# shellcheck disable=SC2086 # words
judge accuracy --settle 20 --seconds 51 $limits
report "at first $ram MiB are monitored" monitors "$ram"

list_blocks > /tmp/blocks
monitor device_add pc-dimm,id=dimm,memdev=memory
nr_wanted=$((before + 4))
report "512 MiB are plugged in" wait_busy nr_blocks
plugged=$(list_blocks | grep -vxFf /tmp/blocks)
sleep 8
report "while they are offline $ram MiB are monitored" monitors "$ram"

report "they are put online" set_blocks online_movable
follows "plugged in" 512
# shellcheck disable=SC2086 # words
judge accuracy --settle 5 --seconds 51 $limits --note-idle

report "they are put offline" set_blocks offline
follows "put offline" 0
# shellcheck disable=SC2086 # words
judge accuracy --settle 5 --seconds 51 $limits --note-idle

monitor device_del dimm
nr_wanted=$before
report "they are unplugged" wait_busy nr_blocks
sleep 8
report "unplugged: $ram MiB are monitored" monitors "$ram"
report "unplugged: monitoring goes on" reads /mnt Y
report "unmounts" umount /mnt
report "the process ends within 5 s" within 5 gone
report "no kdamond is left" no_kdamond
report "nothing is left staged" nothing_staged
cat /tmp/log
finish
