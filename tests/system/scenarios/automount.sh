# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Mounted by systemd at the first access (x-systemd.automount): the daemon must not wait for the mount that
# it is to make. Through each mount helper, and with the units of an administrator. Sourced by main.sh.
# shellcheck disable=SC2154 # what lib.sh and main.sh set
mountpoint=/run/damon_stat
unit=run-damon_stat.mount
automount=run-damon_stat.automount
limit_s=20 # of an access that mounts, which takes a second or two

accesses() { timeout 100 cat $mountpoint/enabled; }
answers() { is "$(accesses)" Y && mounted; }
waiting() { grep -q " $mountpoint .* - autofs " /proc/1/mountinfo && is "$(visible)" 0 && ! daemon; }
dead() { said=$(accesses 2>&1); ! says "$said" Y > /dev/null && ! daemon; }

# accessed WHAT: the access with this name is answered, by one mount, in time.
accessed() {
  began=$(uptime_s)
  check "$way: $1 is answered" took $limit_s answers
  info "$way: $1 took $(awk -v a="$began" -v b="$(uptime_s)" 'BEGIN { printf "%.1f", b - a }') s"
}
crash() { kill -KILL "$(daemon)" && within 5 dead; }

# first_access: there was no access before, and nothing was mounted.
first_access() {
  check "$way: autofs waits, nothing runs" within 10 waiting
  accessed "the first access"
}

# ended_by COMMAND...: the mount ends in order, and the next access mounts again.
ended_by() {
  check "$way: $1" "$@"
  check "$way: autofs waits after $1" within 10 waiting
  accessed "the access after $1"
}

# repaired_by COMMAND...: the daemon is killed, and what it has left is taken away or replaced.
repaired_by() {
  check "$way: a crash is seen" crash
  check "$way: $1 after a crash" took $limit_s "$@"
  accessed "the access after a crash and $1"
}

# arm: the line or the units are new.
arm() { systemctl daemon-reload && systemctl start $automount; }
nothing_runs() { ! daemon; }
disarm() { systemctl stop $automount && within 10 unmounted && within 10 nothing_runs; }
fstab() { disarm && sed -i "$1" /etc/fstab && arm; }

way="mount.fuse3"
check "the machine is up" systemctl is-active multi-user.target
first_access
ended_by systemctl stop $unit
ended_by umount $mountpoint
repaired_by systemctl restart $unit
repaired_by mount $mountpoint
repaired_by umount $mountpoint
check "the line with an idle timeout" fstab 's/x-systemd.automount/&,x-systemd.idle-timeout=5s/'
first_access
check "$way: no access for 5 s, it is unmounted" within 30 waiting
accessed "the access after idle time"
check "$way: a crash is seen" crash
check "$way: no access for 5 s, the dead mount is unmounted" within 30 waiting
accessed "the access after a crash and idle time"
check "the line without an idle timeout" fstab 's/,x-systemd.idle-timeout=5s//'

way="mount.damon-statfs"
check "a line with type damon-statfs" fstab 's/ fuse\.damon-statfs / damon-statfs /'
first_access
ended_by umount $mountpoint
repaired_by mount $mountpoint

way="mount.fuse"
check "a line with damon-statfs# and type fuse" fstab 's/^damon_stat\(.*\) damon-statfs /damon-statfs#damon_stat\1 fuse /'
first_access

way="units"
units() {
  disarm && : > /etc/fstab && cp /system/run-damon_stat.mount /etc/systemd/system || return
  printf '[Automount]\nWhere=%s\nTimeoutIdleSec=5\n' $mountpoint > /etc/systemd/system/$automount
  arm
}
check "an automount unit beside the mount unit of the examples" units
first_access
