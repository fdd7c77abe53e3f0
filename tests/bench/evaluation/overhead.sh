# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# The part of tests/bench/evaluation/run about what monitoring does to other programs: 25 stressors of
# stress-ng that do a fixed amount of work, timed by the instruction. Sourced by it.

# Operations that take about 2 s of guest time, found with `--stressors NAME:calibrate,... overhead`. They
# only set how long a run takes.
default_stressors=cpu:1

run_overhead() {
  local name list=${stressors:-$default_stressors} started
  [ -z "$quick" ] || [ -n "$stressors" ] || list=$(cut -d , -f 1-5 <<< "$list")
  prepare_guest
  for name in ${monitors:-pages regions}; do
    case $name in damon_stat | kdamond) continue ;; esac
    started=$SECONDS
    DAMON_STATFS_ICOUNT=1 boot overhead "overhead-${name%%@*}" 3600 "eval_stressors=$list" \
      "eval_monitors=$(monitor "$name")"
    case $list in *:calibrate*) grep -a '^CALIBRATED' "$logs/overhead-${name%%@*}.log" && return ;; esac
    collect overhead "overhead-${name%%@*}"
    say "overhead of ${name%%@*} took $((SECONDS - started)) s"
  done
}
