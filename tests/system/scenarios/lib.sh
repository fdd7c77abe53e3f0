# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154
#
# What the scenarios of the system tests share: PASS and FAIL lines, and the mount seen from outside.

failures=0

uptime_s() { cut -d ' ' -f 1 /proc/uptime; }

# check NAME COMMAND...: one line of the result; what the command said if it failed.
check() {
  name=$1
  shift
  if said=$("$@" 2>&1); then
    echo "PASS $scenario: $name"
  else
    failures=$((failures + 1))
    echo "FAIL $scenario: $name"
    printf '%s\n' "$said" | sed 's/^/    /'
  fi
}

info() { echo "INFO $scenario: $*"; }

# within SECONDS COMMAND...
within() {
  tries=$(($1 * 5))
  shift
  while ! "$@"; do
    [ $((tries -= 1)) -gt 0 ] || return 1
    sleep 0.2
  done
}

# Lines of process 1's mountinfo for our mountpoint: what all programs on the machine see.
visible() { grep -c " /run/damon_stat .* - fuse.damon-statfs " /proc/1/mountinfo; }
mounted() { [ "$(visible)" = 1 ]; }
unmounted() { ! grep -q " /run/damon_stat " /proc/1/mountinfo; }
reads() { [ "$(timeout 10 cat /run/damon_stat/enabled)" = "$1" ]; }
has_values() { timeout 10 cat /run/damon_stat/memory_idle_ms_percentiles | grep -q '[1-9]'; }
daemon() { pidof damon-statfs mount.damon-statfs; } # mount(8) calls it by its other name
is() { [ "$1" = "$2" ] || { echo "$1 is not $2"; false; }; }
says() { printf '%s\n' "$1" | grep -F "$2" > /dev/null || { printf 'no "%s" in: %s\n' "$2" "$1"; false; }; }

# A client that keeps a file of the mount open until it is stopped.
hold_open() {
  systemd-run -q --unit=client -p TimeoutStopSec=2 sh -c "exec sleep 1000 < /run/damon_stat/enabled"
  within 10 client_holds
}
client_holds() { readlink "/proc/$(systemctl show -P MainPID client)/fd/0" | grep -q /run/damon_stat; }

# The upgrade of the package: the same daemon answers before and after.
upgrade() {
  before=$(daemon)
  dpkg -i /debs/*-2_*.deb > /tmp/upgrade.log 2>&1 || { cat /tmp/upgrade.log; return 1; }
  is "$(dpkg-query -W -f '${Version}' damon-statfs | sed 's/.*-//')" 2 && is "$(daemon)" "$before" &&
    mounted && reads Y
}

# took LIMIT COMMAND...: whether it succeeds within so many seconds.
took() {
  limit=$1 began=$(uptime_s)
  shift
  "$@" || return
  seconds=$(awk -v a="$began" -v b="$(uptime_s)" 'BEGIN { printf "%.1f", b - a }')
  echo "$seconds" > /tmp/took
  awk -v s="$seconds" -v l="$limit" 'BEGIN { exit s > l }' || { echo "took $seconds s"; false; }
}
