# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Not a test: prints the kernel's files that the operations sets use, with modes and contents, each line
# behind "| " to tell it from the kernel's messages. tests/vm/capture makes tests/data/kernels of it.
# shellcheck source=lib.sh
. /vm/lib.sh
# shellcheck source=kdamonds.sh
. /vm/kdamonds.sh

# The content of a file on one line: \n and \t stand for what they name; ! for a file that cannot be read.
content() {
  if ! cat "$1" > /tmp/content 2> /tmp/error; then
    echo "!$(sed 's/.*: //' /tmp/error)"
  else
    awk '{ gsub(/\t/, "\\t"); printf "%s\\n", $0 }' /tmp/content
  fi
}

dump() {
  find "$@" 2> /dev/null | sort | while read -r path; do
    mode=$(stat -c %a "$path")
    if [ -d "$path" ]; then
      printf '| %s %s/\n' "$mode" "$path"
    else
      printf '| %s %s\t%s\n' "$mode" "$path" "$(content "$path")"
    fi
  done
}

echo "| # Linux $(uname -r), captured by tests/vm/capture in a freshly booted guest with 4 GiB."
printf '| # %s\n' 'MODE PATH<TAB>CONTENT; directories end in /; contents have \n for newline, \t for tab.'
echo "| # state untouched"
dump /sys/kernel/mm/damon
dump /sys/module/damon_stat/parameters /sys/module/damon_reclaim/parameters \
  /sys/module/damon_lru_sort/parameters
dump /sys/kernel/mm/page_idle | sed 's/\t.*/\t/'
for event in /sys/kernel/tracing/events/damon/*/; do
  dump "$event"id "$event"format
done
if has_damon; then
  stage nr_kdamonds 1
  stage 0/contexts/nr_contexts 1
  stage 0/contexts/0/targets/nr_targets 1
  stage 0/contexts/0/targets/0/regions/nr_regions 2
  stage 0/contexts/0/schemes/nr_schemes 1
  echo "| # state one-context"
  dump /sys/kernel/mm/damon
fi
report "captured" [ -e /sys/kernel/mm ]
finish
