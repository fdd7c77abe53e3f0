# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# How the daemon ends, with a real engine sampling real memory where the kernel has page_idle: always within 2 s, and
# never in a way that the next start cannot repair.
# shellcheck source=lib.sh
. /vm/lib.sh
# shellcheck source=mirror_kills.sh
. /vm/mirror_kills.sh

if [ -e /sys/kernel/mm/page_idle/bitmap ]; then set=ops=page_idle; else set="ops=sim,sim=64M@10ms+192M@never"; fi
daemon_gone() { ! pidof damon-statfs > /dev/null; }
on() { echo Y > "$1/enabled" && [ "$(cat "$1/enabled")" = Y ]; }

# Engine on, and given the time to take more than one sample.
start_busy_daemon() {
  start_daemon /mnt "$set,max_cpu=30"
  report "$1: engine starts" on /mnt
  sleep 3
}

start_busy_daemon "SIGKILL"
kill -KILL "$(pidof damon-statfs)"
report "SIGKILL: process gone" within 2 daemon_gone
report "SIGKILL: leaves a dead mount" [ "$(mounts_on /mnt)" = 1 ]
start_daemon /mnt "$set"
report "restart: one mount, not two" [ "$(mounts_on /mnt)" = 1 ]
report "restart: it answers" [ "$(cat /mnt/enabled)" = N ]
damon-statfs -o "$set" /mnt
report "a second daemon on one mountpoint ends with 32" [ $? = 32 ]
report "the first still answers" [ "$(cat /mnt/enabled)" = N ]
report "restart: engine starts" on /mnt

umount /mnt || report "umount with the engine on" false
report "umount with the engine on: process gone within 2 s" within 2 daemon_gone

start_busy_daemon "umount -l"
umount -l /mnt
report "umount -l with the engine on: process gone within 2 s" within 2 daemon_gone

for signal in TERM INT HUP; do
  start_busy_daemon "SIG$signal"
  exec 9< /mnt/memory_idle_ms_percentiles
  kill -$signal "$(pidof damon-statfs)"
  report "SIG$signal with an open file: process gone within 2 s" within 2 daemon_gone
  report "SIG$signal: nothing stays mounted" [ "$(mounts_on /mnt)" = 0 ]
  exec 9<&-
done

[ ! -e $mirrored ] || mirror_kills 20
finish
