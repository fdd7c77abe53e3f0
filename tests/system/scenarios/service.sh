# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# The service, enabled, from the boot on: what systemd restarts, and what it leaves alone. Sourced by main.sh.
# shellcheck disable=SC2154 # what lib.sh and main.sh set
unit=damon-statfs.service

check "the machine is up with the service" systemctl is-active $unit
check "it is visible for process 1" mounted
check "it has the mount namespace of process 1" is "$(readlink "/proc/$(daemon)/ns/mnt")" "$(readlink /proc/1/ns/mnt)"
check "enabled=Y has switched it on" reads Y
check "values arrive" within 60 has_values
check "the log has it" says "$(journalctl -b -o cat -u $unit)" "mounted on /run/damon_stat"
info "capabilities kept: $(grep CapEff "/proc/$(daemon)/status" | tr -s '\t ' ' ')"
verify() { is "$(systemd-analyze verify --man=no /usr/lib/systemd/system/$unit 2>&1)" ''; }
check "systemd-analyze verify has nothing to say" verify
security() { systemd-analyze security --no-pager $unit | grep 'Overall exposure'; }
check "systemd-analyze security knows it" security
info "$(security)"
status() { says "$(damon-statfs --status /run/damon_stat)" 'state: on'; }
check "damon-statfs --status" within 10 status

reload() {
  echo 'OPTIONS=enabled=N,max_cpu=2' > /etc/default/damon-statfs && systemctl reload $unit && reads N &&
    echo 'OPTIONS=' > /etc/default/damon-statfs && systemctl reload $unit && reads N &&
    rm /etc/default/damon-statfs && systemctl reload $unit && mounted && reads Y && is "$(daemon)" "$before"
}
refused_reload() {
  echo 'OPTIONS=enabled=Y,seed=7' > /etc/default/damon-statfs
  ! systemctl reload $unit && says "$(journalctl -b -o cat -u $unit)" 'seed=7: cannot change while it is mounted' &&
    rm /etc/default/damon-statfs && systemctl is-active -q $unit && reads Y
}
before=$(daemon)
check "systemctl reload takes OPTIONS over" reload
check "and refuses what cannot change" refused_reload

restarted() { mounted && reads Y && [ "$(daemon)" != "$before" ] && systemctl is-active -q $unit; }
before=$(daemon)
check "systemctl restart" systemctl restart $unit
check "has a new daemon, and one mount" restarted
for signal in KILL SEGV; do
  hold_open
  before=$(daemon)
  began=$(uptime_s)
  kill -$signal "$before"
  check "SIG$signal with a file open: it comes back by itself" within 40 restarted
  info "after SIG$signal it answered again $(awk -v a="$began" -v b="$(uptime_s)" 'BEGIN { print b - a }') s later"
  systemctl stop client
done
before=$(daemon)
kill -STOP "$before" # a daemon that hangs: nothing feeds the watchdog
began=$(uptime_s)
check "a daemon that hangs is replaced by the watchdog" within 80 restarted
info "the watchdog took $(awk -v a="$began" -v b="$(uptime_s)" 'BEGIN { print b - a }') s"
systemctl reset-failed $unit

# What the unit must never have, and what a check above would find.
drop_in() {
  mkdir -p /run/systemd/system/$unit.d
  printf '[Service]\n%s\n' "$1" > /run/systemd/system/$unit.d/test.conf
  systemctl daemon-reload
}
no_drop_in() { rm -r /run/systemd/system/$unit.d && systemctl daemon-reload && systemctl reset-failed $unit; }
drop_in ProtectSystem=yes
systemctl restart $unit
check "with ProtectSystem= the mount would be hidden" unmounted
info "what the log says of that: $(journalctl -b -o cat -u $unit | grep -i namespace | tail -1)"
no_drop_in
systemctl restart $unit

# Without its restart, what a crash leaves behind is only what ExecStopPost= leaves.
drop_in Restart=no
kill -KILL "$(daemon)"
check "a crash leaves no dead mount" within 20 unmounted
no_drop_in
systemctl start $unit

check "the package is upgraded under the service" upgrade
busy() {
  ! said=$(mount -t fuse.damon-statfs -o enabled=Y x /run/damon_stat 2>&1) || return
  says "$said" 'already mounted there' && mounted
}
check "a second mount is refused and says why" busy
hold_open
check "systemctl stop with a file open takes less than 8 s" took 8 systemctl stop $unit
info "systemctl stop with a file open took $(cat /tmp/took) s"
check "and nothing is left" within 5 unmounted
systemctl stop client

wrong() {
  echo OPTIONS=enabeld=Y > /etc/default/damon-statfs
  ! systemctl start $unit || return
  sleep 3
  says "$(systemctl status $unit)" enabeld && is "$(systemctl show -P NRestarts $unit)" 0
}
check "a wrong option is named in systemctl status, and not tried again" wrong
systemctl reset-failed $unit
without_options() {
  echo OPTIONS= > /etc/default/damon-statfs
  systemctl restart $unit && mounted && systemctl stop $unit
}
check "without any option it starts, too" without_options
rm /etc/default/damon-statfs
systemctl start $unit
removed() { dpkg -r damon-statfs > /dev/null && unmounted && ! daemon && ! systemctl is-active -q $unit; }
check "removing the package ends the service" removed
installed() { dpkg -i /debs/*-1_*.deb > /dev/null && ! daemon && is "$(systemctl is-enabled $unit)" enabled; }
check "installed again it is enabled as it was, but not started" installed
if [ -e /sys/module/damon_stat/parameters/enabled ]; then echo N > /sys/module/damon_stat/parameters/enabled; fi
echo OPTIONS=enabled=Y,ops=kdamond > /etc/default/damon-statfs
check "the hardened unit can run a kdamond" systemctl start $unit
check "which has values" within 60 has_values
traces() {
  readlink "/proc/$(daemon)"/fd/* | grep -q perf_event &&
    ! journalctl -b -o cat -u $unit | grep tried_regions
}
check "from trace events" traces
info "capabilities kept: $(grep CapEff "/proc/$(daemon)/status" | tr -s '\t ' ' ')"
