/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How a program asks a mount for its status, without a file in its directory that the kernel's does
 * not have: an ioctl on the open memory_idle_ms_percentiles, whose permission bits so decide who
 * may ask. In C, for a program that does not run damon-statfs --status=json, which prints the
 * same.
 */
#ifndef DAMON_STATFS_STATUS_IOCTL_H
#define DAMON_STATFS_STATUS_IOCTL_H

#include <sys/ioctl.h>

#define DAMON_STATFS_STATUS_FILE "memory_idle_ms_percentiles"

/* One JSON object in one line, ended by a zero byte; what follows that is not touched. Its members
 * are numbers, strings and, for what does not apply or is not known, null: no arrays and no further
 * objects. damon-statfs(8) says what each means; more may come, and none changes its meaning.
 */
// NOLINTNEXTLINE(readability-identifier-naming): a name for C
struct damon_statfs_status {
  char json[15360];
};

#define DAMON_STATFS_GET_STATUS _IOR(0xDA, 1, struct damon_statfs_status)

#endif
