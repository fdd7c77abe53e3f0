# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# The promise of ops=kdamond with regions: readings as near to the truth as the kernel's, beside a known workload, for
# a price in user space that does not count beside the kernel thread's.
# shellcheck source=lib.sh
. /vm/lib.sh
# shellcheck source=kdamonds.sh
. /vm/kdamonds.sh

stat_off
start_workload --hot 256M --warm 256M --warm-period 9.1 --cold 512M
start_logged /mnt ops=kdamond,estimator=regions
# What the kernel's regions have lost, no reader of them finds again: it averages the ages of regions that it merges, and
# before 6.18 also lets an age run on through single accesses. So the warm part may be taken for cold, which is printed,
# and all is younger than it is: in four runs the untouched memory by 1 to 52 %, most of it lost in the first minute, while
# there are few regions. Less than a quarter is no such average.
judge accuracy --settle 30 --seconds 66 --limit-points 2 --limit-worst 13 --limit-idle 75 --note-6s

# Apart from the checker, which reads the files twenty times a second. 5 s apart there are refreshes.
kdamond=$(cat /mnt/kdamond_pid)
kdamond_before=$(cpu_ns "$kdamond") daemon_before=$(cpu_ns "$daemon_pid")
sleep 30
kdamond_us=$((($(cpu_ns "$kdamond") - kdamond_before) / 1000))
daemon_us=$((($(cpu_ns "$daemon_pid") - daemon_before) / 1000))
# The aim is 2 %, which a table in tests/bench/evaluation is about: a processor as slow as this one switches tasks at
# a higher price.
echo "INFO $SCENARIO: CPU time in 30 s: kdamond $kdamond_us us, daemon $daemon_us us, that is" \
  "$((daemon_us * 1000 / kdamond_us)) in 1000, aim 20"
# How much the kdamond uses is the kernel's to say, and differs by a factor of two from run to run: 0.5 to 1.2 s.
report "the daemon uses at most 0.3 % of a processor, $daemon_us of 30000000 us" [ "$daemon_us" -le 90000 ]

# The kernel's own tuning has another bound, or on older kernels ours.
bounded() { [ "$(cat $intervals/sample_us)" -le 6000 ]; }
report "before, the sampling interval is longer: $(cat $intervals/sample_us) us" \
  [ "$(cat $intervals/sample_us)" -gt 6000 ]
report "remount,max_sample_us=6000" damon-statfs -o remount,max_sample_us=6000 none /mnt
report "it holds" within 30 bounded
sleep 8 # two checks whether the kdamond is as it was set up
report "monitoring goes on" reads /mnt Y
report "unmounts" umount /mnt
report "the process ends within 5 s" within 5 gone
report "no kdamond is left" no_kdamond
report "nothing is left staged" nothing_staged
finish
