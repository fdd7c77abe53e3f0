/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How root changes options of a mount while it is mounted: an ioctl on the open file `enabled`,
 * which mount -o remount and systemctl reload use. In C, as status_ioctl.h.
 */
#ifndef DAMON_STATFS_OPTIONS_IOCTL_H
#define DAMON_STATFS_OPTIONS_IOCTL_H

#include <sys/ioctl.h>

#define DAMON_STATFS_OPTIONS_FILE "enabled"

/* In: NAME=VALUE words between commas, as behind -o, ended by a zero byte. Out: one line that says
 * why nothing was changed, or, if only the switch that enabled= asks for has failed, why; empty if
 * all is done. Errors: EPERM for other users than root.
 */
// NOLINTNEXTLINE(readability-identifier-naming): a name for C
struct damon_statfs_options {
  char text[8192];
};

#define DAMON_STATFS_CHANGE_OPTIONS _IOWR(0xDA, 2, struct damon_statfs_options)

#endif
