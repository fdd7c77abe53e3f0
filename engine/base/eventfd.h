// SPDX-License-Identifier: GPL-2.0-or-later
//
// An eventfd (eventfd(2)) between the two threads says that there is something to look at, and
// nothing of what that is.
#pragma once

#include <unistd.h>

#include <cstdint>

namespace damon_statfs {

// Makes the eventfd readable.
inline void signal_eventfd(int fd) {
  const uint64_t one = 1;
  // It can fail only if the counter is full, and then the other side is signalled anyway.
  [[maybe_unused]] const ssize_t written = write(fd, &one, sizeof one);
}

}  // namespace damon_statfs
