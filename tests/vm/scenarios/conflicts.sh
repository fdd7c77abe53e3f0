# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# The idle flags of pages are global: two users destroy each other's results, so the second engine and
# an engine next to a kernel kdamond must be refused, by the write that asks for it.
# shellcheck source=lib.sh
. /vm/lib.sh

kernel_stat=/sys/module/damon_stat/parameters/enabled

# refused FILE: a write of Y fails with EBUSY and the file still reads N.
refused() {
  message=$( (echo Y > "$1") 2>&1) && echo "the write of Y to $1 succeeded" && return 1
  echo "writing Y to $1: $message"
  echo "$message" | grep -qi busy && [ "$(cat "$1")" = N ]
}

switch() { echo "$2" > "$1" && [ "$(cat "$1")" = "$2" ]; }

echo "--probe without a kdamond:"
damon-statfs --probe
report "--probe calls page_idle usable" \
  sh -c 'damon-statfs --probe | grep -q "^page_idle *yes "'
start_daemon /mnt
start_daemon /mnt2
report "first page_idle engine starts" switch /mnt/enabled Y
report "second page_idle engine is refused with EBUSY" refused /mnt2/enabled
report "the first goes on" [ "$(cat /mnt/enabled)" = Y ]
report "the first stops" switch /mnt/enabled N
report "then the second starts" switch /mnt2/enabled Y
report "and stops" switch /mnt2/enabled N

report "the kernel's DAMON_STAT starts" switch $kernel_stat Y
echo "--probe beside a running kdamond:"
damon-statfs --probe
report "page_idle beside a kernel kdamond is refused with EBUSY" refused /mnt/enabled
report "the kernel's DAMON_STAT stops" switch $kernel_stat N
report "then page_idle starts" switch /mnt/enabled Y
report "both unmount" sh -c 'umount /mnt && umount /mnt2'

# The page sample that the kernel's DAMON takes is several kdamonds, and page_idle does not start beside them.
start_daemon /mnt
start_daemon /mnt2 ops=kdamond,estimator=pages
report "the page sample of kdamond starts" switch /mnt2/enabled Y
report "page_idle beside it is refused with EBUSY" refused /mnt/enabled
report "the page sample goes on" [ "$(cat /mnt2/enabled)" = Y ]
report "the page sample stops" switch /mnt2/enabled N
report "then page_idle starts beside its mount" switch /mnt/enabled Y
report "both unmount" sh -c 'umount /mnt && umount /mnt2'

# With damon_stat=yield DAMON_STAT gives way, and comes back.
echo Y > $kernel_stat
start_logged /mnt damon_stat=yield
report "page_idle beside DAMON_STAT that yields starts" switch /mnt/enabled Y
report "DAMON_STAT is off then" [ "$(cat $kernel_stat)" = N ]
report "another program's kdamond, or DAMON_STAT itself, may come all the same" switch $kernel_stat Y
report "the first stops" switch /mnt/enabled N
report "DAMON_STAT stays on" [ "$(cat $kernel_stat)" = Y ]
for phase in start on stop; do
  case $phase in
    start) (echo Y > /mnt/enabled) & sleep 0.1 ;;
    on) switch /mnt/enabled Y ;;
    stop) switch /mnt/enabled Y; (echo N > /mnt/enabled) & sleep 0.02 ;;
  esac
  kill -KILL "$daemon_pid"
  wait
  start_daemon /mnt
  report "SIGKILL at $phase: the next start puts DAMON_STAT on again" [ "$(cat $kernel_stat)" = Y ]
  umount /mnt
  start_logged /mnt damon_stat=yield
done
report "Y works after all that" switch /mnt/enabled Y
umount /mnt
report "DAMON_STAT is on again after an umount" within 10 grep -q Y $kernel_stat
echo N > $kernel_stat
finish
