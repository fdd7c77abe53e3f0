# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# SIGKILLs of a start with ops=damon_stat, at stepped moments from its first instruction until after it answers. A
# mount whose daemon dies before it has answered FUSE's first request says ECONNREFUSED on Linux 7.2 and ENOTCONN
# before; the next start has to replace either. Sourced after lib.sh.
# shellcheck disable=SC2154 # what lib.sh sets
mirrored=/sys/module/damon_stat/parameters/enabled

mirror_start() { launch /mnt ops=damon_stat,enabled=Y; }
mirror_answers() { mounted /mnt && reads /mnt Y; }
process_gone() { ! pidof damon-statfs > /dev/null; }

# Leaves the hundredths of a second that a start takes until it answers in start_cs.
measure_start() {
  begun=$(now)
  mirror_start
  within 20 mirror_answers || die "the mirror does not start: $(cat /tmp/log)"
  start_cs=$(($(now) - begun))
  umount /mnt
  within 10 process_gone || die "the daemon does not end"
  echo N > $mirrored
}

# Returns as soon as there is a mount, or the daemon has ended. Without a fork: some milliseconds would be too late.
await_mount() {
  while [ -d "/proc/$daemon_pid" ]; do
    while read -r _ path _; do [ "$path" != /mnt ] || return 0; done < /proc/mounts
  done
}

# kill_start NUMBER: every third dies at its mount(2), the others at moments that divide the time of one and a
# half starts. Leaves what the moment turned out to be in moment.
kill_start() {
  mirror_start
  if [ $(($1 % 3)) = 0 ]; then
    await_mount
  else
    delay_cs=$((start_cs * 3 * ($1 % steps) / (steps * 2)))
    sleep "$((delay_cs / 100)).$(printf '%02d' $((delay_cs % 100)))"
  fi
  kill -KILL "$daemon_pid"
  wait "$daemon_pid" 2> /dev/null
  moment=before
  mounted /mnt || return 0
  case $(cat /mnt/enabled 2>&1) in
    *refused*) moment=between ;;
    *) moment=after ;;
  esac
}

# next_start: succeeds, and the mount answers and ends.
next_start() {
  damon-statfs -o ops=damon_stat,abi=7.2 /mnt 2> /tmp/log || return
  [ "$(mounts_on /mnt)" = 1 ] && switch /mnt Y && switch /mnt N && umount /mnt && within 10 process_gone
}

# mirror_kills NUMBER
mirror_kills() {
  measure_start
  number=0 failed_starts=0 before=0 between=0 after=0 steps=$1
  while [ $number -lt "$1" ]; do
    kill_start $number
    eval "$moment=\$(($moment + 1))"
    if ! next_start; then
      failed_starts=$((failed_starts + 1))
      echo "kill $number, $moment: the next start failed: $(cat /tmp/log /proc/mounts)"
      while umount -l /mnt 2> /dev/null; do :; done
      within 10 process_gone
    fi
    echo N > $mirrored
    number=$((number + 1))
  done
  echo "INFO $SCENARIO: a mirror's start takes ${start_cs}0 ms; $1 SIGKILLs: $before before mount(2)," \
    "$between between mount(2) and INIT, $after after"
  report "$1 SIGKILLs of a mirror's start: $failed_starts next starts failed" [ $failed_starts = 0 ]
  report "some before mount(2), and some after" [ $before -gt 0 -a $((between + after)) -gt 0 ]
}
