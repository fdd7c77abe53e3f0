# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Every operations set that the kernel at hand allows, and the refusal of those that it does not: each
# must give a reading and leave the kernel's files as they were. Decides by what is there.
# shellcheck source=lib.sh
. /vm/lib.sh
# shellcheck source=kdamonds.sh
. /vm/kdamonds.sh

# unusable SET [OPTIONS [WORD]]: with a reason, and that word in it.
unusable() { probe "$1" "${2-}" | grep '"usable":false' | grep -q "\"reason\":\".*${3-}"; }
auto_is() { damon-statfs --probe=json | tr -d ' \n' | grep -q "\"auto\":$1"; }

set_reads() { [ "$(cat "$1")" = "$2" ]; }

# leave NAME: unmounts, and everything is as it was when the row began.
leave() {
  report "$1: unmounts" umount /mnt
  report "$1: the process ends within 5 s" within 5 gone
  report "$1: leaves the kernel's files as they were" unchanged
}

# row NAME OPTIONS [COMMAND...]: a whole life of a set that is off at first; the command must succeed
# while it is on.
row() {
  row_name=$1
  remember
  start_logged /mnt "$2"
  shift 2
  report "$row_name: Y" switch /mnt Y
  report "$row_name: a reading within 20 s" reading_within 20 /mnt
  [ $# -eq 0 ] || report "$row_name: while on: $*" "$@"
  report "$row_name: N" switch /mnt N
  leave "$row_name"
}

# refusal NAME OPTIONS ERRNO [WORD]: of a write of Y, with the word in the log, and of enabled=Y.
refusal() {
  remember
  start_logged /mnt "$2"
  report "$1: Y is refused: $3" refused /mnt "$3"
  [ -z "${4-}" ] || report "$1: the log names $4" logged "$4"
  leave "$1"
  timeout 20 damon-statfs -f -o "$2,enabled=Y" /mnt 2> /tmp/log
  report "$1: enabled=Y ends with 32" [ $? = 32 ]
  [ -z "${4-}" ] || report "$1: its message names $4" logged "$4"
  report "$1: enabled=Y leaves everything as it was" unchanged
}

check_bare_kernel() {
  report "--probe=json: auto is null" auto_is null
  for set in damon_stat kdamond observe page_idle; do
    report "--probe=json: $set is not usable, with a reason" unusable $set
  done
  refusal "auto" ops=auto "no such device" damon
}

own_is_tuned() { set_reads "$intervals"/intervals_goal/access_bp 400; }
own_runs() { [ "$(cat $admin/nr_kdamonds)" -gt 0 ] && set_reads "$admin/0/state" on; }
kdamond_pid_is_a_thread() { grep -q '^kdamond\.' "/proc/$(cat /mnt/kdamond_pid)/comm"; }

check_kdamond() {
  report "--probe=json: kdamond is usable" usable kdamond
  row "kdamond" ops=kdamond own_runs
  row "kdamond again" ops=kdamond,refresh_ms=1000 kdamond_pid_is_a_thread
  row "kdamond, its regions" ops=kdamond,estimator=regions own_runs
  if grep -q intervals_goal /tmp/seen; then row "kdamond, tuned by the kernel" ops=kdamond,estimator=regions,refresh_ms=1000 own_is_tuned; fi
  stage nr_kdamonds 1
  refusal "kdamond beside a staged set-up" ops=kdamond busy
  start_foreign
  refusal "kdamond beside a foreign kdamond" ops=kdamond busy "$foreign_pid"
  report "the foreign kdamond runs on" foreign_runs
  stop_foreign
}

# observe_row NAME PID STOP...: the command ends the kdamond that is observed.
observe_row() {
  row "observe $1" ops=observe,refresh_ms=1000
  row "observe $1 by its pid" "ops=observe,refresh_ms=1000,kdamond=$2"
  start_logged /mnt ops=observe
  report "observe $1: Y" switch /mnt Y
  target=$1
  shift 2
  "$@"
  report "observe $target: reads N within 5 s when it ends" within 5 reads /mnt N
  report "observe $target: unmounts" umount /mnt
  report "observe $target: the process ends within 5 s" within 5 gone
}

reclaim=/sys/module/damon_reclaim/parameters
reclaim_on() { # active with any amount of free memory, and reclaiming nothing
  echo 1000 > $reclaim/wmarks_high
  echo 999 > $reclaim/wmarks_mid
  echo 0 > $reclaim/wmarks_low
  echo 4000000000 > $reclaim/min_age
  echo Y > $reclaim/enabled
}
reclaim_off() { echo N > "$reclaim/enabled"; }

check_observe() {
  report "--probe=json: observe is not usable without a kdamond" unusable observe
  refusal "observe of nothing" ops=observe "no such"
  refusal "observe of a process" "ops=observe,kdamond=$$" "" "$$"
  start_foreign
  report "--probe=json: observe is usable beside a kdamond" usable observe
  observe_row "a sysfs kdamond" "$foreign_pid" stop_foreign
  [ -e $reclaim/enabled ] || return
  reclaim_on
  report "DAMON_RECLAIM runs" set_reads $reclaim/enabled Y
  observe_row "DAMON_RECLAIM" "$(cat $reclaim/kdamond_pid)" reclaim_off
}

# The kernel's DAMON_STAT may be on at first.
check_stat() {
  was=$(cat $stat_parameters/enabled)
  report "--probe=json: damon_stat is usable" usable damon_stat
  report "--probe=json: auto is damon_stat" auto_is '"damon_stat"'
  for set in damon_stat auto; do
    remember
    start_logged /mnt ops=$set
    report "$set: enabled is the kernel's" reads /mnt "$was"
    report "$set: N" switch /mnt N
    report "$set: N is the kernel's" set_reads $stat_parameters/enabled N
    report "$set: Y" switch /mnt Y
    report "$set: Y is the kernel's" set_reads $stat_parameters/enabled Y
    report "$set: a reading within 20 s" reading_within 20 /mnt
    echo N > $stat_parameters/enabled
    sleep 0.2
    report "$set: another program's N shows after 0.2 s" reads /mnt N
    echo Y > $stat_parameters/enabled
    sleep 0.2
    report "$set: another program's Y shows after 0.2 s" reads /mnt Y
    echo "$was" > $stat_parameters/enabled
    leave "$set"
  done
}

# DAMON_STAT gives way on request, and `row` finds that it is on again afterwards, or off as before.
check_yield() {
  report "--probe=json: $1 beside DAMON_STAT names the option" unusable "$1" 'ops=auto' damon_stat=yield
  report "--probe=json: $1 is usable with it" usable "$1" damon_stat=yield
  row "$1, DAMON_STAT yields" "ops=$1,damon_stat=yield" stat_is N
  set_stat N
  row "$1, DAMON_STAT was off" "ops=$1,damon_stat=yield" stat_is N
  set_stat Y
}

# samples SET: it is on, in place of DAMON_STAT.
samples() { [ "$(status operations_set)" = "\"$1\"" ] && stat_is N; }

check_beside_stat() {
  echo Y > $stat_parameters/enabled
  refusal "kdamond beside DAMON_STAT" ops=kdamond busy damon_stat=yield
  check_yield kdamond
  if has_page_idle; then check_yield page_idle; fi
  chosen=kdamond
  if has_page_idle; then chosen=page_idle; fi
  row "auto, DAMON_STAT yields" ops=auto,damon_stat=yield samples $chosen
  echo N > $stat_parameters/enabled
  start_foreign
  remember
  start_logged /mnt ops=damon_stat
  report "damon_stat beside a kdamond: Y has the kernel's errno" refused /mnt busy
  leave "damon_stat beside a kdamond"
  stop_foreign
}

echo "Linux $(uname -r)"
damon-statfs --probe
damon-statfs --probe=json
if has_damon; then # which files a context has here
  stage_kdamond
  find $admin > /tmp/seen
  stage nr_kdamonds 0
fi
row "sim" "ops=sim,sim=64M@100ms+64M@never"
if has_stat; then
  check_stat
  check_beside_stat
elif has_damon; then
  report "--probe=json: auto is kdamond" auto_is '"kdamond"'
  report "--probe=json: damon_stat is not usable, with a reason" unusable damon_stat
  row "auto" ops=auto own_runs
fi
if has_damon; then
  check_kdamond
  if has_tracefs; then check_observe; else report "observe is not usable" unusable observe; fi
fi
if has_page_idle; then
  row "page_idle" ops=page_idle
elif ! has_damon; then
  check_bare_kernel
else
  refusal "page_idle" ops=page_idle "no such device" page_idle
fi
finish
