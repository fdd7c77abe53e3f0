# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# The README's line in /etc/fstab, from the boot on: systemd makes a mount unit of it. Sourced by main.sh.
# shellcheck disable=SC2154 # what lib.sh and main.sh set
unit=run-damon_stat.mount

check "the machine is up with the mount of fstab" systemctl is-active $unit
check "it is visible for process 1" mounted
check "enabled=Y has switched it on" reads Y
check "values arrive" within 60 has_values
info "$(findmnt -n /run/damon_stat | tr -s ' ')"
check "the log has it" says "$(journalctl -b -o cat)" "mounted on /run/damon_stat"
main_pid=$(daemon)
check "the daemon belongs to the mount unit" grep -q $unit "/proc/$main_pid/cgroup"
if journalctl -b -o cat | grep -q 'monitoring is on: kdamond'; then
  traces() { readlink "/proc/$main_pid"/fd/* | grep -q perf_event && ! journalctl -b -o cat | grep tried_regions; }
  check "the trace events were mounted first" traces
fi
again() { mount -a && mount -a && mounted; }
check "mount -a again makes no second mount" again

second() { ! systemctl start damon-statfs.service; }
check "a service for the same path fails" second
reason() { says "$(systemctl status damon-statfs.service)" 'damon-statfs is already mounted there'; }
check "and systemctl status says why" within 20 reason
sleep 3 # time to try again in
check "which is not tried again" is "$(systemctl show -P NRestarts damon-statfs.service)" 0
untouched() { mounted && reads Y && is "$(daemon)" "$main_pid"; }
check "the mount of fstab is left alone" untouched
systemctl reset-failed damon-statfs.service

remount() {
  mount -o remount,ro /run/damon_stat && says "$(findmnt -n -o OPTIONS /run/damon_stat)" ro, &&
    mount -o remount,rw /run/damon_stat && says "$(findmnt -n -o OPTIONS /run/damon_stat)" rw, && mounted
}
check "mount -o remount,ro and back" remount
check "the package is upgraded under the mount" upgrade
check "systemctl stop unmounts" systemctl stop $unit
check "and nothing is left" within 10 unmounted
start_again() { systemctl start $unit || { journalctl -b -u $unit -n 20 --no-pager -o cat; false; }; }
check "systemctl start mounts again" start_again
kill -KILL "$(daemon)"
check "mount after a SIGKILL replaces the dead mount" within 10 sh -c "mount /run/damon_stat"
check "and answers" within 10 reads Y
helper() {
  umount /run/damon_stat && mount -t damon-statfs -o enabled=Y damon_stat /run/damon_stat &&
    mounted && reads Y
}
check "mount -t damon-statfs" helper
umount /run/damon_stat
check "mount by its name in fstab" mount /run/damon_stat
umount /run/damon_stat

# The same as a unit of the administrator's, from the examples.
example() {
  : > /etc/fstab
  cp /system/run-damon_stat.mount /etc/systemd/system && systemctl daemon-reload &&
    is "$(systemd-analyze verify --man=no /etc/systemd/system/$unit 2>&1)" '' &&
    systemctl enable --now -q $unit && systemctl is-active -q $unit && mounted && reads Y
}
check "the mount unit of the examples" example
