# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# The kernel's own DAMON_STAT under the same workload and the same checker: not judged, printed to
# compare with. It monitors the hole below 4 GiB too, hence --span.
# shellcheck source=lib.sh
. /vm/lib.sh

start_workload --hot 256M --warm 256M --warm-period 9.1 --cold 512M
judge accuracy --only-print --span --dir /sys/module/damon_stat/parameters --settle 60 --seconds 66
stop_workload
judge quiet --only-print --dir /sys/module/damon_stat/parameters --settle 15 --seconds 20
finish
