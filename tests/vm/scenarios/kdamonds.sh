# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# For the scenarios about the kernel's own kdamonds: setting one up as another program would, and telling
# whether the daemon has left everything as it was. Sourced after lib.sh.
# shellcheck disable=SC2034 # for those that source this
admin=/sys/kernel/mm/damon/admin/kdamonds
context=$admin/0/contexts/0
intervals=$context/monitoring_attrs/intervals
stat_parameters=/sys/module/damon_stat/parameters

has_damon() { [ -e $admin/nr_kdamonds ]; }
has_stat() { [ -e $stat_parameters/enabled ]; }
has_tracefs() { [ -e /sys/kernel/tracing/events/damon/damon_aggregated/id ]; }
has_page_idle() { [ -e /sys/kernel/mm/page_idle/bitmap ]; }

# The kernel's own, on from the boot on some kernels, leaves no room for another kdamond.
stat_off() { ! has_stat || echo N > $stat_parameters/enabled; }

# stage FILE VALUE: the file is below the directory of the kdamonds.
stage() { echo "$2" > "$admin/$1" || die "cannot write $2 to $1"; }

# A context for all of System RAM at index 0, not started.
stage_kdamond() {
  stage nr_kdamonds 1
  stage 0/contexts/nr_contexts 1
  stage 0/contexts/0/operations paddr
  stage 0/contexts/0/targets/nr_targets 1
  grep '^[^ ].*System RAM' /proc/iomem | sed 's/ : .*//' > /tmp/ram
  stage 0/contexts/0/targets/0/regions/nr_regions "$(wc -l < /tmp/ram)"
  index=0
  while IFS=- read -r first last; do
    stage "0/contexts/0/targets/0/regions/$index/start" $(((0x$first + 4095) / 4096 * 4096))
    stage "0/contexts/0/targets/0/regions/$index/end" $(((0x$last + 1) / 4096 * 4096))
    index=$((index + 1))
  done < /tmp/ram
}

# Leaves the thread's id in foreign_pid.
start_foreign() {
  stage_kdamond
  stage 0/state on
  foreign_pid=$(cat $admin/0/pid)
}

stop_foreign() {
  stage 0/state off
  stage nr_kdamonds 0
}

foreign_runs() { [ "$(cat $admin/0/state)" = on ] && [ "$(cat $admin/0/pid)" = "$foreign_pid" ]; }

kdamond_threads() { grep -l '^kdamond\.' /proc/[0-9]*/comm 2> /dev/null; }
# Nanoseconds of CPU time of all that run now.
# shellcheck disable=SC2046 # words
kdamonds_ns() { cat /dev/null $(kdamond_threads | sed 's/comm$/schedstat/') | awk '{ sum += $1 } END { printf "%.0f", sum }'; }
no_kdamond() { [ -z "$(kdamond_threads)" ]; }
nothing_staged() { [ "$(cat $admin/nr_kdamonds)" = 0 ]; }

# Whether ops=kdamond has a page sample. While another kdamond runs, it has nothing.
takes_pages() { usable kdamond ops=kdamond,estimator=pages; }

# What the checker allows the readings of ops=kdamond, where regions lose what they lose; as long as no kdamond runs.
kdamond_limits() {
  if takes_pages; then
    echo "--limit-points 1 --limit-worst 2 --limit-idle 3"
  else
    echo "--limit-points 2 --limit-worst 13 --limit-idle 75 --note-6s"
  fi
}

# What must be the same after the daemon as before it: all directories and files, the numbers of things
# and what can be set.
damon_state() {
  find /sys/kernel/mm/damon 2> /dev/null | sort
  find /sys/kernel/mm/damon /sys/module/damon_*/parameters -type f -perm -200 2> /dev/null | sort |
    xargs grep -H '' /dev/null 2>&1
}

remember() { damon_state > /tmp/before; }

# unchanged: since remember; prints what is not.
unchanged() {
  damon_state > /tmp/after
  diff /tmp/before /tmp/after
}
