# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# Processors: 2
#
# As many SIGKILLs of a mirror's start as kills= on the kernel's command line says, by hand:
# DAMON_STATFS_LIMIT_S=3000 DAMON_STATFS_KILLS=300 tests/vm/run PREFIX sigkill_mirror 7:sigkill_mirror
# shellcheck source=lib.sh
. /vm/lib.sh
# shellcheck source=mirror_kills.sh
. /vm/mirror_kills.sh

kills=$(sed -n 's/.*\bkills=\([0-9]*\).*/\1/p' /proc/cmdline)
[ ! -e $mirrored ] || echo N > $mirrored
mirror_kills "${kills:-20}"
finish
