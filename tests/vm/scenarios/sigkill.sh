# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# Processors: 2
#
# SIGKILLs at random moments of the daemon's life, as many as kills= on the kernel's command line says: the next start
# never fails, never leaves an orphan kdamond behind, and never touches one that is another program's. Half of the
# daemons have damon_stat=yield, and find DAMON_STAT on where it can be; it has to be so again after the next start.
# shellcheck source=lib.sh
. /vm/lib.sh
# shellcheck source=kdamonds.sh
. /vm/kdamonds.sh

# shellcheck disable=SC3028 # busybox has RANDOM
# pause MILLISECONDS: a random time below it.
pause() { sleep "$(printf '0.%03d' $((RANDOM % $1)))"; }

kill_daemon() {
  kill -KILL "$daemon_pid" 2> /dev/null
  wait "$daemon_pid" 2> /dev/null
}

# Every write may meet a daemon that is gone already, hence in the background and without a report.
write_later() { (echo "$1" > /mnt/enabled) 2> /dev/null & }

# die_in PHASE: starts the daemon and kills it at a random moment of the phase.
die_in() {
  case $1 in
    start) launch /mnt "$options,enabled=Y" && pause 400 ;;
    idle) start_logged /mnt "$options" && pause 50 ;;
    switch-on) start_logged /mnt "$options" && write_later Y && pause 80 ;;
    on) start_logged /mnt "$options" && write_later Y && sleep 0.2 && pause 600 ;;
    switch-off) start_logged /mnt "$options" && write_later Y && sleep 0.3 && write_later N && pause 40 ;;
    end)
      start_logged /mnt "$options"
      write_later Y
      sleep 0.3
      umount /mnt 2> /dev/null &
      pause 40
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

# choose_options NUMBER CHECK: every second daemon yields, in each phase by turns, with DAMON_STAT on if no other
# program's kdamond is.
options=ops=kdamond stat=N changed=0
choose_options() {
  options=ops=kdamond stat=N
  [ $((($1 + $1 / 6) % 2)) = 0 ] || options=ops=kdamond,damon_stat=yield stat=Y
  if [ "$2" != alone ] || ! has_stat; then stat=N; fi
  set_stat $stat
}

# kills NUMBER CHECK: the check must hold after each restart.
kills() {
  refused=0 orphans=0 late=0 changed=0 count=0
  while [ $count -lt "$1" ]; do
    for phase in start idle switch-on on switch-off end; do
      [ $count -lt "$1" ] || break
      choose_options $count "$2"
      echo "kill $count: $phase, $options, DAMON_STAT $stat"
      die_in $phase
      restart "$2"
      count=$((count + 1))
    done
  done
}

kills=$(sed -n 's/.*\bkills=\([0-9]*\).*/\1/p' /proc/cmdline)
half=$((${kills:-36} / 2))
stat_off
began=$(now)
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
stage 0/state off
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
echo "INFO $SCENARIO: took $((($(now) - began) / 100)) s"
finish
