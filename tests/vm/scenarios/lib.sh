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
  "${workload_program:-workload}" "$@" &
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

# with_set [OPTION,...]: the options with ops=page_idle unless they name another set.
with_set() {
  case ",${1-}," in
    *,ops=*) echo "abi=7.2,$1" ;;
    *) echo "ops=page_idle,abi=7.2${1:+,$1}" ;;
  esac
}

# start_daemon MOUNTPOINT [OPTION,...]
start_daemon() {
  damon-statfs -o "$(with_set "${2-}")" "$1" || die "damon-statfs ended with $?"
}

# launch MOUNTPOINT [OPTION,...]: in the foreground, as a job with its log in /tmp/log; leaves daemon_pid.
launch() {
  damon-statfs -f -o "$(with_set "${2-}")" "$1" 2> /tmp/log &
  daemon_pid=$!
}

# start_logged MOUNTPOINT [OPTION,...]: launch, and wait for the mount.
start_logged() {
  launch "$@"
  within 5 mounted "$1" || die "no mount on $1: $(cat /tmp/log)"
}

mounted() { [ "$(mounts_on "$1")" = 1 ]; }
alive() { kill -0 "$daemon_pid" 2> /dev/null; }
gone() { ! alive; }
logged() { grep -qi "$1" /tmp/log || { cat /tmp/log && return 1; }; }

# reads MOUNTPOINT Y|N
reads() { [ "$(cat "$1/enabled" 2> /dev/null)" = "$2" ]; }
switch() { echo "$2" > "$1/enabled" && reads "$1" "$2"; }

# refused MOUNTPOINT TEXT: a write of Y fails, with this text of an errno, and the file still reads N.
refused() {
  message=$( (echo Y > "$1/enabled") 2>&1) && echo "the write of Y succeeded" && return 1
  echo "writing Y to $1: $message"
  echo "$message" | grep -qi "$2" && reads "$1" N
}

# has_reading MOUNTPOINT: 101 numbers that are not all 0.
has_reading() {
  tr ',' '\n' < "$1/memory_idle_ms_percentiles" > /tmp/percentiles
  [ "$(grep -cE '^-?[0-9]+$' /tmp/percentiles)" = 101 ] && grep -qvx 0 /tmp/percentiles
}

# reading_within SECONDS MOUNTPOINT: says what there is instead.
reading_within() {
  ! within "$1" has_reading "$2" || return 0
  echo "no reading in $1 s; the log, the status and the file:"
  cat /tmp/log
  timeout 20 damon-statfs --status "$2"
  cat "$2/memory_idle_ms_percentiles"
  return 1
}

# probe SET [OPTION,...]: its object in the table of --probe=json, without spaces.
probe() { damon-statfs --probe=json ${2:+-o "$2"} | tr -d ' \n' | tr '{' '\n' | grep "\"set\":\"$1\""; }
usable() { probe "$@" | grep -q '"usable":true'; }

# The figure of the status of /mnt that has this name.
status() { timeout 20 damon-statfs --status=json /mnt | tr ',' '\n' | sed -n "s/.*\"$1\": *//p"; }

# Nanoseconds of CPU time of all threads of a process.
cpu_ns() { cat "/proc/$1/task/"*/schedstat | awk '{ sum += $1 } END { printf "%.0f", sum }'; }

# MiB of System RAM, online or not.
ram_mib() {
  sum=0
  grep '^[^ ].*System RAM' /proc/iomem | sed 's/ : .*//' > /tmp/ram
  while IFS=- read -r first last; do sum=$((sum + 0x$last + 1 - 0x$first)); done < /tmp/ram
  echo $((sum >> 20))
}

# monitors MEBIBYTES: as the status of /mnt says, within one.
monitors() {
  differ=$((($(status monitored_bytes) >> 20) - $1))
  [ $differ -ge -1 ] && [ $differ -le 1 ]
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
