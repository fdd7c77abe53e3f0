# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# The part of tests/bench/evaluation/run about what monitoring does to other programs: 25 stressors of
# stress-ng that do a fixed amount of work, timed by the instruction. Sourced by it.

# Operations that take about 1 s of guest time each; `--stressors NAME:calibrate,...` finds such numbers.
# They only set how long a run takes, times --work: the same work is done in all three rounds.
default_stressors=cpu:250,fault:12000,pipe:128000,malloc:43000,memcpy:23,matrix:570,hash:16000,bsearch:49,list:15
default_stressors+=,str:23000,zlib:8,crypt:140,stream:2,cache:50000,brk:167000,fork:970,switch:117000,futex:89000
default_stressors+=,madvise:10,mincore:890,context:1900,sparsematrix:6,qsort:2,vm:1024,mremap:3

run_overhead() {
  local name list=${stressors:-$default_stressors} started
  [ -z "$quick" ] || [ -n "$stressors" ] || list=$(cut -d , -f 1-5 <<< "$list")
  list=$(awk -F: -v RS='[,\n]' -v factor="${work_factor:-$([ -n "$quick" ] && echo 1 || echo 5)}" '
    { printf "%s%s:%s", (NR > 1 ? "," : ""), $1, ($2 == "calibrate" ? $2 : $2 * factor) }' <<< "$list")
  prepare_guest
  for name in ${monitors:-pages regions}; do
    case $name in damon_stat | kdamond) continue ;; esac
    started=$SECONDS
    machine=$counted boot overhead "overhead-${name%%@*}" 3600 "eval_stressors=$list" \
      "eval_monitors=$(monitor "$name")"
    case $list in *:calibrate*) grep -a '^CALIBRATED' "$logs/overhead-${name%%@*}.log" && return ;; esac
    collect overhead "overhead-${name%%@*}"
    say "overhead of ${name%%@*} took $((SECONDS - started)) s"
  done
}
