# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# A fixed amount of work of each stressor, without monitoring, with it, and without it again, which tells
# how far two runs differ anyway. eval_monitors is one NAME@MOUNT-OPTIONS; eval_stressors is
# NAME:OPERATIONS joined by ',', or NAME:calibrate to find out how many operations 1 s is.
# shellcheck source=../../../vm/scenarios/lib.sh
. /vm/lib.sh

parameter() { tr ' ' '\n' < /proc/cmdline | sed -n "s/^$1=//p"; }
daemon_cpu_ns() { cat "/proc/$daemon_pid/task/"*/schedstat | awk '{ sum += $1 } END { printf "%.0f", sum }'; }
memory_kib() { awk '/^MemAvailable:/ { print $2 }' /proc/meminfo; }

stress() { # NAME ARGUMENTS...: from the same random numbers each time
  stressor=$1
  shift
  stopwatch stress-ng "--$stressor" 1 "$@" --no-rand-seed --temp-path /tmp --oom-avoid
}

calibrate() { # NAME
  stress "$1" --timeout 1 --metrics > /tmp/elapsed || { tail -n 3 /tmp/stopwatch.log; return; }
  awk -v name="$1" '/metrc/ && $4 == name && $6 ~ /^[0-9.]+$/ { print "CALIBRATED " name ":" $5; exit }' /tmp/stopwatch.log
}

work() { # ROUND NAME OPERATIONS
  cpu_ns=$(daemon_cpu_ns)
  if elapsed_ns=$(stress "$2" "--$2-ops" "$3"); then
    printf 'EVAL\toverhead\t%s\t%s\t%s\t%s\t%s\n' "$2" "$monitor" "$1" "$elapsed_ns" \
      $(($(daemon_cpu_ns) - cpu_ns))
  else
    printf 'EVAL\tfailed\t%s\t%s\t%s\n' "$2" "$monitor" "$(tail -n 1 /tmp/stopwatch.log)"
  fi
}

round() {
  for item in $stressors; do work "$1" "${item%:*}" "${item#*:}"; done
}

echo "kernel: Linux $(uname -r)"
stressors=$(parameter eval_stressors | tr ',' ' ')
if [ "${stressors%:calibrate}" != "$stressors" ]; then
  for item in $stressors; do calibrate "${item%:*}"; done
  finish
fi
options=$(parameter eval_monitors)
monitor=${options%%@*}
before_kib=$(memory_kib)
damon-statfs -f -o "abi=7.2,${options#*@}" /mnt 2> /tmp/log &
daemon_pid=$!
within 10 mounted /mnt || die "no mount: $(head -n 3 /tmp/log)"
# Its memory is looked at before anything else uses and frees some.
echo Y > /mnt/enabled
sleep 30
rss_kib=$(awk '/^VmRSS:/ { print $2 }' "/proc/$daemon_pid/status")
printf 'EVAL\tmemory\tall\t%s\t%s\t%s\n' "$monitor" "$rss_kib" $((before_kib - $(memory_kib)))
echo N > /mnt/enabled
round off
echo Y > /mnt/enabled
sleep 30
round on
echo N > /mnt/enabled
round again
umount /mnt
finish
