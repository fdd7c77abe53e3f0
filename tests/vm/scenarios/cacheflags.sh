# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Whether any flag of /proc/kpageflags tells that page cache is being read, with the multi-generational LRU and
# without it. Judges nothing: the lines are what the table in engine/README.md comes from. Meanwhile idle flags are
# set, by the kernel's DAMON or through page_idle, so that it can be seen whether read(2) clears them.
# shellcheck source=tests/vm/scenarios/lib.sh
. /vm/lib.sh

mglru=/sys/kernel/mm/lru_gen/enabled
admin=/sys/kernel/mm/damon/admin/kdamonds
damon_stat=/sys/module/damon_stat/parameters/enabled
bitmap=/sys/kernel/mm/page_idle/bitmap

# A kdamond that marks some pages of every 2 MiB of memory a second, at random.
start_kdamond() {
  [ ! -e $damon_stat ] || echo N > $damon_stat
  echo 1 > $admin/nr_kdamonds
  echo 1 > $admin/0/contexts/nr_contexts
  cd $admin/0/contexts/0 || die "no DAMON"
  echo paddr > operations
  echo 100000 > monitoring_attrs/intervals/sample_us
  echo 2000000 > monitoring_attrs/intervals/aggr_us
  echo 2000 > monitoring_attrs/nr_regions/max
  echo 1000 > monitoring_attrs/nr_regions/min
  echo 1 > targets/nr_targets
  echo 1 > targets/0/regions/nr_regions
  echo 4294967296 > targets/0/regions/0/end
  cd /
  echo on > $admin/0/state || die "DAMON does not start"
}

# look TEXT OPTION...: the flags of files of tmpfs and of cachefs.
look() {
  text=$1
  shift
  mkdir -p /tmp/files /mnt2
  cachefs /mnt2 || die "cachefs ended with $?"
  cacheflags --name "$SCENARIO, $text" --written /tmp/files --served /mnt2 "$@" || die "cacheflags ended with $?"
  rm -r /tmp/files
  umount /mnt2
}

[ -e $bitmap ] || start_kdamond
for enabled in y n; do
  if [ -e $mglru ]; then echo $enabled > $mglru; elif [ $enabled = y ]; then continue; fi
  look "MGLRU $enabled"
  look "MGLRU $enabled" --seconds 1 --pressure 64M
done
report "the flags of page cache were looked at" true
finish
