# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# The README's line in fstab with a mistake in it: the machine has to boot on and say what is wrong. Sourced by
# main.sh.
# shellcheck disable=SC2154 # what lib.sh and main.sh set
unit=run-damon_stat.mount

check "the machine is up all the same" systemctl is-active multi-user.target
check "the mount unit has failed" systemctl is-failed $unit
check "systemctl status names the word" says "$(systemctl status $unit)" 'enabeld=Y: unknown option'
terminal() { said=$(mount /run/damon_stat 2>&1); is $? 1 && says "$said" 'enabeld=Y: unknown option'; }
check "mount names it on the terminal, status 1" terminal
check "nothing is mounted" unmounted
check "nothing runs" sh -c '! pidof damon-statfs'
