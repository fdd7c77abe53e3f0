// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel can wait for a lock, but neither for a given time nor until the process that holds it
// is found to be one that stays; so it is asked again and again.
#include "engine/base/file_lock.h"

#include <sys/file.h>

#include <cerrno>

#include "damon_statfs/errno_failure.h"

namespace damon_statfs {

Result<bool> try_lock_file(const UniqueFd& file, const std::string& path) {
  if (flock(file.get(), LOCK_EX | LOCK_NB) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  return errno_failure("{}", path);
}

Result<bool> lock_file(const UniqueFd& file, const std::string& path, const Clock& clock,
                       const std::function<int64_t()>& patience_ns) {
  constexpr int64_t kPauseNs = 10 * kNsPerMs;
  const int64_t begun_ns = clock.now_ns();
  for (;;) {
    DAMON_STATFS_TRY(locked, try_lock_file(file, path));
    if (locked) return true;
    const int64_t limit_ns = patience_ns();
    if (clock.now_ns() - begun_ns >= limit_ns) return false;
    clock.wait_until(clock.now_ns() + kPauseNs, -1);
  }
}

}  // namespace damon_statfs
