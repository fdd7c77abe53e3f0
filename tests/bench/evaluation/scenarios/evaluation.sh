# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# One workload, and one monitor after the other beside it: each is switched on, watched and switched off.
# What to run is on the kernel's command line: eval_workload, eval_arguments (of the workload, joined by
# ','), eval_settle, eval_seconds, eval_poll_ms, eval_monitors: NAME@MOUNT-OPTIONS or damon_stat, joined by ';';
# eval_draws: each mount so often, with seed=1 and so on, of which the results go by NAME#SEED; without it once.
# shellcheck source=../../../vm/scenarios/lib.sh
. /vm/lib.sh

# The workload moves itself to the first processor; the monitors and the checker stay on the second (mask 2; in a guest
# with one processor the mask is 1, which is just as well its number).
taskset -p "$(nproc)" $$ > /dev/null

parameter() { tr ' ' '\n' < /proc/cmdline | sed -n "s/^$1=//p"; }

# With the multi-generational LRU, read(2) leaves the idle flag of a page as it is (folio_mark_accessed()), so
# that no monitor can see it.
lru_gen=$(cat /sys/kernel/mm/lru_gen/enabled 2> /dev/null)
echo "kernel: Linux $(uname -r), multi-generational LRU ${lru_gen:-not there}"

workload_name=$(parameter eval_workload)
settle=$(parameter eval_settle) seconds=$(parameter eval_seconds)

fail_monitor() { # MONITOR TEXT
  printf 'EVAL\tfailed\t%s\t%s\t%s\n' "$workload_name" "$1" "$(echo "$2" | tr '\n\t' '  ')"
}

watch() { # MONITOR DIRECTORY ARGUMENTS...
  monitor=$1 directory=$2
  shift 2
  message=$(eval_checker --workload "$workload_name" --monitor "$monitor" --dir "$directory" \
    --settle "$settle" --seconds "$seconds" --poll-ms "$(parameter eval_poll_ms)" "$@" 2>&1 1>&3) ||
    fail_monitor "$monitor" "$message"
} 3>&1

parameters=/sys/module/damon_stat/parameters

kernel_is_off() { echo N > $parameters/enabled && [ "$(cat $parameters/enabled)" = N ]; }

# Off, whether the kernel's configuration or a monitor has left it on: nothing else could monitor beside it.
switch_kernel_off() { [ ! -e $parameters ] || within 30 kernel_is_off || die "DAMON_STAT stays on"; }

evaluate_kernel() {
  watch damon_stat $parameters --span
  switch_kernel_off
}

answers() { mounted /mnt || gone; }

evaluate_daemon() { # MONITOR OPTIONS
  damon-statfs -f -o "abi=7.2,$2" /mnt 2> /tmp/log &
  daemon_pid=$!
  within 10 answers
  if mounted /mnt; then
    watch "$1" /mnt --daemon "$daemon_pid"
    # Not every version tells its status.
    if status=$(damon-statfs --status=json /mnt 2> /dev/null); then
      printf 'EVAL\tstatus\t%s\t%s\t%s\n' "$workload_name" "$1" "$(echo "$status" | tr -d '\n\t')"
    fi
    umount /mnt || kill "$daemon_pid"
  else
    fail_monitor "$1" "$(head -n 3 /tmp/log)"
    ! alive || kill "$daemon_pid"
  fi
  wait "$daemon_pid"
  sed "s/^/log of $1: /" /tmp/log
}

# shellcheck disable=SC2034 # lib.sh uses it
workload_program=eval_workload
# shellcheck disable=SC2046 # words
start_workload --name "$workload_name" $(parameter eval_arguments | tr ',' ' ')
switch_kernel_off
draws=$(parameter eval_draws)
for monitor in $(parameter eval_monitors | tr ';' ' '); do
  name=${monitor%%@*} options=${monitor#*@}
  if [ "$monitor" = damon_stat ]; then
    evaluate_kernel
  elif [ -z "$draws" ]; then
    evaluate_daemon "$name" "$options"
  else
    for seed in $(seq "$draws"); do evaluate_daemon "$name#$seed" "$options,seed=$seed"; done
  fi
done
stop_workload
finish
