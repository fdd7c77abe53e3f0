#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What systemd runs in the guest when the machine is up: one scenario, then a shutdown whose length the host
# reads from the kernel's last line. A client keeps a file open meanwhile, as monitoring agents do.
#
# Usage: main.sh SCENARIO
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C SYSTEMD_COLORS=0 SYSTEMD_PAGER=cat
scenario=$1
while sleep 10; do echo "guest: alive, $(cut -d ' ' -f 1 /proc/uptime) s"; done & # a kernel that stands still is silent
# shellcheck source=lib.sh
. /system/lib.sh
# shellcheck disable=SC1090
. "/system/$scenario.sh"
echo "guest: scenario ended with status $failures"
if mounted; then hold_open; fi
echo "guest: shutdown begins at $(uptime_s)"
systemctl poweroff
sleep 60 # systemd ends this one, too
