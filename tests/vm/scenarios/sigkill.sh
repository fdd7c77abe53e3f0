# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# Processors: 2
#
# SIGKILLs at random moments of the daemon's life, as many as kills= on the kernel's command line says, with the kernel's
# regions and with the page sample, which has several kdamonds: the next start never fails, never leaves an orphan
# kdamond behind, and never touches one that is another program's. Half of the daemons have damon_stat=yield, and find
# DAMON_STAT on where it can be; it has to be so again after the next start.
# shellcheck source=lib.sh
. /vm/lib.sh
# shellcheck source=kdamonds.sh
. /vm/kdamonds.sh

# shellcheck disable=SC3028 # busybox has RANDOM
# pause MILLISECONDS: a random time below it.
pause() { wait_ms $((RANDOM % $1)); }
wait_ms() { sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"; }

kill_daemon() {
  kill -KILL "$daemon_pid" 2> /dev/null
  wait "$daemon_pid" 2> /dev/null
}

# Every write may meet a daemon that is gone already, hence in the background and without a report.
write_later() { (echo "$1" > /mnt/enabled) 2> /dev/null & }

# measure ESTIMATOR: leaves in files how long the writes of Y and N take if nothing disturbs them, and a little more.
measure() {
  damon-statfs -o "ops=kdamond,estimator=$1" /mnt || die "no mount with estimator=$1"
  for write in Y N; do
    before=$(now)
    switch /mnt $write || die "$write is refused with estimator=$1"
    echo $((($(now) - before) * 10 + 40)) > "/tmp/$write-ms.$1"
    echo "INFO $SCENARIO: $write with estimator=$1 takes up to $(cat "/tmp/$write-ms.$1") ms"
  done
  umount /mnt
  within 5 process_gone || die "the daemon does not end"
}

# die_in PHASE: starts the daemon with $options, and kills it at a random moment of the phase.
die_in() {
  on_ms=$(cat "/tmp/Y-ms.$estimator") off_ms=$(cat "/tmp/N-ms.$estimator")
  case $1 in
    start) launch /mnt "$options,enabled=Y" && pause $((on_ms + 320)) ;;
    idle) start_logged /mnt "$options" && pause 50 ;;
    switch-on) start_logged /mnt "$options" && write_later Y && pause "$on_ms" ;;
    on) start_logged /mnt "$options" && write_later Y && wait_ms $((on_ms + 100)) && pause 600 ;;
    switch-off) start_logged /mnt "$options" && write_later Y && wait_ms $((on_ms + 200)) && write_later N && pause "$off_ms" ;;
    end)
      start_logged /mnt "$options"
      write_later Y
      wait_ms $((on_ms + 200))
      umount /mnt 2> /dev/null &
      pause "$off_ms"
      ;;
  esac
  kill_daemon
}

# stat_as_before WHEN: DAMON_STAT.
stat_as_before() {
  stat_is "$stat" && return
  echo "$1 after $phase with $options: DAMON_STAT is not $stat: $(cat /tmp/log)"
  changed=$((changed + 1))
}

# restart: what must always succeed, after which the mount works and nothing of ours runs.
restart() {
  damon-statfs -o "$options,abi=7.2" /mnt 2> /tmp/log
  status=$?
  stat_as_before start
  if [ $status != 0 ] || ! reads /mnt N; then
    echo "restart after $phase: status $status, enabled $(cat /mnt/enabled): $(cat /tmp/log)"
    refused=$((refused + 1))
  fi
  # Switching on must work too, where no other program is in the way.
  if [ "$1" = alone ] && ! switch /mnt Y; then
    echo "restart after $phase: Y is refused: $(cat /tmp/log)"
    refused=$((refused + 1))
  fi
  [ "$1" != alone ] || switch /mnt N
  stat_as_before N
  "$1" || { echo "restart after $phase: $1 failed: $(kdamond_threads)" && orphans=$((orphans + 1)); }
  umount /mnt
  within 5 process_gone || late=$((late + 1))
  stat_as_before stop
}
process_gone() { ! pidof damon-statfs > /dev/null; }
alone() { no_other_kdamond && nothing_staged; }

# set_stat_option NUMBER CHECK: every second time DAMON_STAT is to yield, and is on if no other program's kdamond is.
set_stat_option() {
  damon_stat=keep stat=N
  [ $(($1 % 2)) = 0 ] || damon_stat=yield stat=Y
  if [ "$2" != alone ] || ! has_stat; then stat=N; fi
  set_stat $stat
  options=ops=kdamond,estimator=$estimator,damon_stat=$damon_stat
}

# set_estimator NUMBER NAME...: takes them by turns.
set_estimator() {
  shift $(($1 % ($# - 1) + 1))
  estimator=$1
}

# kills NUMBER CHECK: the check must hold after each restart. Leaves the kind of each in /tmp/kinds.
kills() {
  restart_check=$2 beside=alone
  [ "$2" = alone ] || beside='beside a foreign kdamond'
  refused=0 orphans=0 late=0 changed=0 count=0
  while [ $count -lt "$1" ]; do
    for phase in start idle switch-on on switch-off end; do
      [ $count -lt "$1" ] || break
      # Every phase with every estimator, and with either word of damon_stat=.
      # shellcheck disable=SC2086 # words
      set_estimator $((count + count / 6)) $estimators
      set_stat_option $(((count + count / 6) / 2)) "$2"
      echo "kill $count: $phase, $options, DAMON_STAT $stat"
      die_in $phase
      echo "$beside, $options, DAMON_STAT $stat" >> /tmp/kinds
      restart "$restart_check"
      count=$((count + 1))
    done
  done
}

kills=$(sed -n 's/.*\bkills=\([0-9]*\).*/\1/p' /proc/cmdline)
half=$((${kills:-36} / 2))
stat_off
began=$(now)
estimators=regions
! takes_pages || estimators='regions pages'
for estimator in $estimators; do measure "$estimator"; done
kills $half alone
report "$half SIGKILLs alone: $refused restarts refused" [ $refused = 0 ]
report "$half SIGKILLs alone: $orphans orphans after a restart" [ $orphans = 0 ]
report "$half SIGKILLs alone: $late restarted ones did not end" [ $late = 0 ]
report "$half SIGKILLs alone: DAMON_STAT was not as before $changed times" [ $changed = 0 ]
stat_off
options=ops=kdamond stat=N

# An orphan that another program has replaced with a kdamond of its own is not ours to stop.
start_logged /mnt ops=kdamond
report "Y" switch /mnt Y
kill_daemon
for state in "$admin"/[0-9]*/state; do echo off > "$state"; done
start_foreign
phase=replaced
refused=0 orphans=0 late=0
remember
restart foreign_runs
report "a kdamond in the orphan's place: the restart works" [ $refused = 0 ]
report "a kdamond in the orphan's place: it runs on" [ $orphans = 0 ]
report "a kdamond in the orphan's place: is as it was" unchanged

kills $half foreign_runs
report "$half SIGKILLs beside a foreign kdamond: $refused restarts refused" [ $refused = 0 ]
report "$half SIGKILLs beside a foreign kdamond: it was touched $orphans times" [ $orphans = 0 ]
report "$half SIGKILLs beside a foreign kdamond: $late restarted ones did not end" [ $late = 0 ]
report "$half SIGKILLs beside a foreign kdamond: DAMON_STAT was not off $changed times" [ $changed = 0 ]
report "the foreign set-up is as it was" unchanged
start_logged /mnt ops=kdamond
report "Y is refused beside it" refused /mnt busy
umount /mnt
stop_foreign
sort /tmp/kinds | uniq -c | while read -r number kind; do echo "INFO $SCENARIO: $number SIGKILLs $kind"; done
echo "INFO $SCENARIO: took $((($(now) - began) / 100)) s"
finish
