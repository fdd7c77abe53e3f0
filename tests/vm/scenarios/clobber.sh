# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# Processors: 2
#
# A second program uses the kernel's DAMON files at the same time, as root may: whatever it does and
# whenever, the daemon neither hangs nor crashes, nor writes over what another program has staged. Half of the daemons
# have the kernel's regions, half the page sample, which has several kdamonds. Half of each have damon_stat=yield, and
# DAMON_STAT is on again after them or, if another program was in the way, after the next start.
# shellcheck source=lib.sh
. /vm/lib.sh
# shellcheck source=kdamonds.sh
. /vm/kdamonds.sh

readonly bound=10 # seconds in which anything has to end

# write FILE VALUE: whatever becomes of it.
write() { echo "$2" > "$1"; }

# deed NAME: one act of the second program, below the admin directory.
deed() {
  case $1 in
    nr_kdamonds-0) write $admin/nr_kdamonds 0 ;;
    nr_kdamonds-1) write $admin/nr_kdamonds 1 ;;
    nr_kdamonds-2) write $admin/nr_kdamonds 2 ;;
    nr_contexts-0) write $admin/0/contexts/nr_contexts 0 ;;
    nr_contexts-1) write $admin/0/contexts/nr_contexts 1 ;;
    intervals) write "$intervals/sample_us" 7777 && write "$intervals/update_us" 1234567 ;;
    commit) write "$intervals/aggr_us" 500000 && write $admin/0/state commit ;;
    empty-commit) write $admin/0/contexts/nr_contexts 1 && write $admin/0/state commit ;;
    off) write $admin/0/state off ;;
    update) write $admin/0/state update_schemes_tried_regions ;;
  esac
}
readonly deeds="nr_kdamonds-0 nr_kdamonds-1 nr_kdamonds-2 nr_contexts-0 nr_contexts-1 intervals commit \
empty-commit off update"

# clobber DEED...: again and again until stop_clobber.
clobber() {
  while :; do
    for act in "$@"; do deed "$act"; done
  done > /dev/null 2>&1 &
  clobber_pid=$!
}
# Linux 6.12 can lock its DAMON files up for good when nr_kdamonds is written soon after a commit.
stop_clobber() {
  kill "$clobber_pid"
  within $bound clobber_gone || die "the kernel never finishes what the second program wrote in $phase"
  wait "$clobber_pid" 2> /dev/null
}
clobber_gone() { ! grep -q '^State:.[^Z]' "/proc/$clobber_pid/status" 2> /dev/null; }

# bounded WHAT COMMAND...: it may fail but not hang.
bounded() {
  what=$1
  shift
  timeout $bound "$@" > /tmp/bounded 2>&1
  status=$?
  [ $status -lt 124 ] || trouble="$trouble, $what hangs"
}

# The daemon ends in time and by itself.
check_end() {
  bounded umount umount /mnt
  if ! within $bound gone; then
    trouble="$trouble, the process stays"
    kill -KILL "$daemon_pid"
  fi
  wait "$daemon_pid" 2> /dev/null
  status=$?
  [ $status -lt 128 ] || trouble="$trouble, the process ended with $status"
}

# tidy: what the second program has left; then a start must find everything usable.
tidy() {
  for state in "$admin"/[0-9]*/state; do echo off > "$state"; done
  echo 0 > $admin/nr_kdamonds
} 2> /dev/null

# Another program may have kept DAMON_STAT from coming on again; the next start puts that right.
check_stat_is_back() {
  stat_is "$stat" && return
  damon-statfs -o ops=kdamond /mnt 2> /tmp/log && umount /mnt
  stat_is "$stat" || trouble="$trouble, DAMON_STAT is not $stat again: $(cat /tmp/log)"
}

# choose_options: every second daemon yields, and finds DAMON_STAT on; every second pair of them takes the page sample.
# With the odd number of deeds each deed comes to meet all four, in one phase or another.
lives=0
choose_options() {
  damon_stat=keep stat=N estimator=regions
  if [ $((lives % 2)) = 1 ]; then damon_stat=yield stat=Y; fi
  [ $((lives / 2 % 2)) = 0 ] || estimator=$sample
  lives=$((lives + 1))
  has_stat || stat=N
  set_stat $stat
  options=ops=kdamond,estimator=$estimator,damon_stat=$damon_stat
}

# live PHASE DEED...: one life of the daemon with the second program busy during one phase of it.
live() {
  phase=$1 trouble=
  shift
  choose_options
  [ "$phase" != start ] || clobber "$@"
  launch /mnt $options
  within $bound mounted /mnt || trouble="$trouble, no mount"
  [ "$phase" != switch-on ] || clobber "$@"
  bounded "Y" sh -c 'echo Y > /mnt/enabled'
  case $phase in start | switch-on) stop_clobber ;; on) clobber "$@" && sleep 1 ;; esac
  bounded "a read" cat /mnt/enabled /mnt/memory_idle_ms_percentiles
  [ "$phase" != on ] || stop_clobber
  case $phase in switch-off | end) clobber "$@" ;; esac
  [ "$phase" = end ] || bounded "N" sh -c 'echo N > /mnt/enabled'
  [ "$phase" != switch-off ] || stop_clobber
  check_end
  [ "$phase" != end ] || stop_clobber
  tidy
  check_stat_is_back
  report "$* during $phase, $options${trouble:+: ${trouble#, }}" [ -z "$trouble" ]
}

# stage_own: another program's set-up, with values that are neither defaults nor ours.
stage_own() {
  echo 7777 > "$intervals/sample_us"
  echo 1234567 > "$intervals/update_us"
  echo 3 > "$context/targets/nr_targets"
}
remember_staged() { staged > /tmp/staged; }
staged() { find $admin -type f ! -name pid ! -name state | sort | xargs grep -H '' /dev/null 2>&1; }
still_staged() { staged | diff /tmp/staged -; }

stat_off
sample=regions
! takes_pages || sample=pages
for phase in start switch-on on switch-off end; do
  for act in $deeds; do live "$phase" "$act"; done
  # shellcheck disable=SC2086 # a list
  live "$phase" $deeds
done
stat_off

stage nr_kdamonds 1
stage 0/contexts/nr_contexts 1
stage_own
remember_staged
start_logged /mnt ops=kdamond
report "Y is refused beside a staged set-up" refused /mnt busy
umount /mnt
report "which is as it was" still_staged
tidy

start_logged /mnt ops=kdamond
report "Y" switch /mnt Y
stage 0/state off
report "another program stops our kdamond: enabled reads N within 5 s" within 5 reads /mnt N
report "another program stops our kdamond: the log says so" logged "kdamond"
report "N" switch /mnt N
tidy
report "and Y works again" switch /mnt Y
stage 0/contexts/nr_contexts 1
stage_own
remember_staged
report "another program stages over ours: enabled reads N within 5 s" within 5 reads /mnt N
umount /mnt
report "another program stages over ours: the process ends" within $bound gone
report "another program stages over ours: its set-up is as it was" still_staged
tidy
start_logged /mnt ops=kdamond
report "a start after all that works" switch /mnt Y
umount /mnt
report "no kdamond is left" within 5 no_kdamond
finish
