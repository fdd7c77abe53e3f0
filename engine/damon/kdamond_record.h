// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which kdamond on this machine is ours, in a file that outlives the daemon: a kdamond goes on when
// its owner is killed. The file is locked by the daemon that it belongs to.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "damon_statfs/clock.h"
#include "damon_statfs/fd.h"
#include "damon_statfs/result.h"
#include "engine/base/kernel_files.h"
#include "engine/damon/kdamond_ownership.h"

namespace damon_statfs {

class KdamondRecord {
 public:
  // Opens ROOTFS/run/damon-statfs/kdamond and locks it for as long as the object lives. Returns:
  // EBUSY if another daemon holds the lock; one that was killed is waited for until it is gone. In
  // `files` it is looked up whether it was, and which pid namespace this daemon is in.
  // Other errors as open_run_file().
  static Result<KdamondRecord> open(const std::string& rootfs, const KernelFiles& files,
                                    const Clock& clock);

  // The same without making the file or its directory. Returns: none if there is no file.
  static Result<std::optional<KdamondRecord>> open_existing(const std::string& rootfs,
                                                            const KernelFiles& files,
                                                            const Clock& clock);

  // Returns: what is recorded, none if nothing is, or not by us.
  Result<std::optional<KdamondOwnership>> read() const;

  // Writes it as this daemon's, in whatever pid namespace that is.
  Result<void> write(const KdamondOwnership& ownership) const;
  Result<void> clear() const;

 private:
  KdamondRecord(UniqueFd file, std::string path, uint64_t pid_namespace)
      : file_(std::move(file)), path_(std::move(path)), pid_namespace_(pid_namespace) {}
  static Result<KdamondRecord> lock(UniqueFd file, const std::string& rootfs,
                                    const KernelFiles& files, const Clock& clock);
  Result<void> replace(const std::string& text) const;

  UniqueFd file_;
  std::string path_;
  uint64_t pid_namespace_;  // the daemon's
};

}  // namespace damon_statfs
