# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# What busybox's cat and cp, which use sendfile(2), get of texts that grow and shrink: the newest one, and
# all of it. dd, which uses read(2), has the truth. The memory is simulated; the kernel's FUSE is under test.
# shellcheck source=lib.sh
. /vm/lib.sh

readonly idle=/mnt/memory_idle_ms_percentiles
readonly pid=/mnt/kdamond_pid # -1 without monitoring, longer with it
readonly seconds=4            # how long readers read beside each other

truth() { dd if="$1" bs=4096 2> /dev/null; }
measure() { echo "$(tr ',' '\n' < "$1" | grep -c '[0-9]') values, $(wc -c < "$1") characters"; }
newest() { cmp -s /tmp/text /tmp/before || cmp -s /tmp/text /tmp/after; }
copy() { cp "$1" /tmp/copy && truth /tmp/copy; }
is_longer() { [ "$(truth "$idle" | wc -c)" -gt "$length" ]; }

# compare COMMAND FILE WHEN: its output is the text before or after it.
compare() {
  truth "$2" > /tmp/before
  "$1" "$2" > /tmp/text
  truth "$2" > /tmp/after
  reading="$1 of ${2#/mnt/} $3"
  echo "$reading: $(measure /tmp/text); the truth: $(measure /tmp/before), then $(measure /tmp/after)"
  report "$reading" newest
}

# keep_reading NUMBER COMMAND: until the end; leaves a line for each text, and one for each that is not whole.
keep_reading() {
  while [ "$(now)" -lt "$end" ]; do
    "$2" $idle > "/tmp/text$1"
    echo >> /tmp/readings
    tr -d 0-9 < "/tmp/text$1" | cmp -s - /tmp/shape || echo "$2: $(measure "/tmp/text$1")" >> /tmp/wrong
  done
}

start_daemon /mnt "ops=sim,sim=1G@never,estimator=regions,sample_us=5000,aggr_us=50000,aggrs=0,refresh_ms=300"
compare cat $pid "before monitoring"
compare cat $idle "before monitoring"
length=$(truth $idle | wc -c)
truth $idle | tr -d 0-9 > /tmp/shape
report "Y" switch /mnt Y
compare cat $pid "that got longer"
report "the idle times get longer" within 10 is_longer
compare cat $idle "that got longer"
compare copy $idle "that got longer"
report "N" switch /mnt N
compare cat $pid "that got shorter"
report "Y again" switch /mnt Y
compare cat $pid "that got longer again"

: > /tmp/wrong
: > /tmp/readings
end=$(($(now) + seconds * 100))
readers=''
for reader in '1 cat' '2 cat' '3 cat' '4 truth'; do
  # shellcheck disable=SC2086 # two words
  keep_reading $reader &
  readers="$readers $!"
done
sleep $((seconds / 2))
switch /mnt N
switch /mnt Y
# shellcheck disable=SC2086 # a list
wait $readers
sort /tmp/wrong | uniq -c
report "$(wc -l < /tmp/readings) readings beside each other: $(wc -l < /tmp/wrong) are wrong" [ ! -s /tmp/wrong ]
report "unmounts" umount /mnt
finish
