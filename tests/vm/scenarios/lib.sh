# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# What the scenarios share: starting the workload and the daemon, and reporting in the lines that
# tests/vm/run collects. Sourced inside the guest, where the shell is busybox ash.
failed=0

# report NAME COMMAND...: PASS when the command succeeds.
report() {
  name=$1
  shift
  if "$@"; then echo "PASS $SCENARIO: $name"; else echo "FAIL $SCENARIO: $name" && failed=1; fi
}

# die TEXT: a scenario that cannot go on has failed.
die() {
  echo "FAIL $SCENARIO: $1"
  exit 1
}

# The last line of a scenario.
finish() { exit $failed; }

# judge ARGUMENTS...: the checker's own PASS and FAIL lines count.
judge() {
  check=$1
  shift
  checker "$check" --name "$SCENARIO" "$@" || failed=1
}

start_workload() {
  workload "$@" &
  workload_pid=$!
  for _ in $(seq 600); do
    [ -s /run/workload ] && return
    kill -0 $workload_pid 2> /dev/null || break
    sleep 0.2
  done
  die "the workload did not start"
}

stop_workload() {
  kill "$workload_pid"
  wait "$workload_pid" 2> /dev/null
  rm -f /run/workload
}

# start_daemon MOUNTPOINT [OPTION,...]
start_daemon() {
  damon-statfs -o "ops=page_idle,abi=7.2${2:+,$2}" "$1" || die "damon-statfs ended with $?"
}

mounts_on() { grep -c " $1 fuse.damon-statfs " /proc/self/mounts; }

# Hundredths of a second since boot.
now() {
  read -r uptime _ < /proc/uptime
  echo "${uptime%.*}${uptime#*.}"
}

# within SECONDS COMMAND...: the command succeeds within so many seconds.
within() {
  deadline=$(($(now) + $1 * 100))
  shift
  until "$@"; do
    [ "$(now)" -lt "$deadline" ] || return 1
    sleep 0.1
  done
}
