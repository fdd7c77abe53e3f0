# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For scripts that run parts one after the other: a part that fails does not keep the next from running, and at
# the end a table says what each has taken. A script that runs another one hands its table on to it, so that
# there is one table for all.
parts_times=${DAMON_STATFS_TIMES-}
if [ -z "$parts_times" ]; then
  parts_times=$(mktemp)
  trap 'rm -f "$parts_times"' EXIT
fi
export DAMON_STATFS_TIMES=$parts_times

# run_part NAME COMMAND...: Returns: the command's status. Notes that and its time.
run_part() {
  local name=$1 start=$SECONDS status=0
  shift
  echo "== $name"
  "$@" || status=$?
  echo "$name $((SECONDS - start)) $status" >> "$parts_times"
  return "$status"
}

# report_parts SCRIPT: prints the table and, as the last line, what has failed. Returns: whether all passed.
report_parts() {
  awk -v script="$1" '
    function print_time(name, seconds, note) {
      printf "%-10s %3d:%02d%s\n", name, seconds / 60, seconds % 60, note
    }
    { print_time($1, $2, $3 == 0 ? "" : "  failed"); total += $2 }
    $3 == 0 { passed++ }
    $3 != 0 { failed++; names = names " " $1 }
    END {
      print_time("total", total, "")
      printf "%s: %d passed, %d failed%s\n", script, passed, failed, failed ? ":" names : ""
      exit failed || !passed
    }' "$parts_times"
}
