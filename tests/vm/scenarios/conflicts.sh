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
finish
