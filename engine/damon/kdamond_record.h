// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which kdamond on this machine is ours, in a file that outlives the daemon: a kdamond goes on when
// its owner is killed. The file is locked by the daemon that it belongs to.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "damon_statfs/clock.h"
#include "damon_statfs/result.h"
#include "engine/base/kernel_files.h"
#include "engine/base/locked_record.h"
#include "engine/damon/kdamond_ownership.h"

namespace damon_statfs {

class KdamondRecord {
 public:
  // Opens ROOTFS/run/damon-statfs/kdamond and locks it for as long as the object lives. Errors as
  // LockedRecord::open().
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
  Result<void> clear() const { return line_.clear(); }

 private:
  explicit KdamondRecord(LockedRecord line) : line_(std::move(line)) {}

  LockedRecord line_;
};

}  // namespace damon_statfs
