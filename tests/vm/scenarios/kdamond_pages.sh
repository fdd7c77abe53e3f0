# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# The page sample that the kernel's DAMON takes, ops=kdamond with estimator=pages: near the truth in every reading and
# from the first on, for a start and a price that are bounded, and nothing is left of it.
# shellcheck source=lib.sh
. /vm/lib.sh
# shellcheck source=kdamonds.sh
. /vm/kdamonds.sh

instruction_ns=8 # on this guest's clock, -icount shift=3

# Of the daemon and all kdamonds that run. A kdamond that has ended took its count with it.
used_ns() { echo $(($(cpu_ns "$daemon_pid") + $(kdamonds_ns))); }
# Of everything that the processor has run, or 0 where the kernel does not count it. Other than the sum of used_ns, this
# has kdamonds that ended, and kernel threads that work for them.
all_ns() { sed -n 's/^cpu0 //p' /proc/schedstat 2> /dev/null | awk '{ ns = $7 } END { printf "%.0f", ns }'; }
million() { echo "$(($1 / instruction_ns / 1000000))"; }

stat_off
remember

all_before=$(all_ns)
start_logged /mnt ops=kdamond,estimator=pages,seed=1
mounted_ns=$(used_ns)
report "Y" switch /mnt Y
ran_ns=$(($(all_ns) - all_before)) start_ns=$(used_ns)
echo "INFO $SCENARIO: million instructions: $(million "$mounted_ns") until it is mounted, $(million $((start_ns - mounted_ns)))" \
  "for Y by the daemon and its kdamonds, $(million $ran_ns) for both by all that ran"
report "starting takes at most 300 million instructions, $(million "$start_ns")" [ "$(million "$start_ns")" -le 300 ]
if [ $ran_ns = 0 ]; then
  echo "INFO $SCENARIO: this kernel does not count what all that ran has taken"
else
  report "all that ran took at most 300 million instructions, $(million $ran_ns)" [ "$(million $ran_ns)" -le 300 ]
fi
report "the estimator is pages" [ "$(status estimator)" = '"pages"' ]
report "umount after the start" umount /mnt
report "the process ends within 5 s" within 5 gone
report "no kdamond is left" no_kdamond
report "nothing is changed" unchanged

start_workload --hot 256M --warm 256M --warm-period 9.1 --cold 512M --cold-period 41
start_logged /mnt ops=kdamond,estimator=pages,seed=1
judge accuracy --max-cpu 5 --settle 20 --seconds 66 --limit-points 2 --limit-worst 2 --judge-60s --judge-first \
  --limit-idle 3 --limit-bandwidth 25 --cold-again --limit-cold 15
timeout 20 damon-statfs --status /mnt
# Apart from the checker, which reads the files five times a second.
used_before=$(used_ns)
sleep 30
echo "INFO $SCENARIO: in 30 s the daemon and the kdamonds that still run used" \
  "$(million $((($(used_ns) - used_before) * 10 / 30))) million instructions per 10 s"
report "monitoring goes on" reads /mnt Y
report "unmounts" umount /mnt
report "the process ends within 5 s" within 5 gone
report "no kdamond is left" no_kdamond
report "nothing is staged" nothing_staged
report "the kernel's files are as they were" unchanged
finish
