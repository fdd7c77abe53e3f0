// SPDX-License-Identifier: GPL-2.0-or-later
//
// Our kdamonds in DAMON's sysfs interface as a whole. The interface has no owners and makes all
// kdamonds at once, so one program at a time can use it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "damon_statfs/clock.h"
#include "damon_statfs/result.h"
#include "engine/base/kernel_files.h"
#include "engine/damon/kdamond.h"

namespace damon_statfs {

class DamonAdmin {
 public:
  // mark: as of Kdamond, the same for all of them. nr_kdamonds: how many of ours there are, or will
  // be; at least 1. Both objects outlive this one.
  DamonAdmin(const KernelFiles& files, const Clock& clock, uint64_t mark, size_t nr_kdamonds = 1);

  // How many kdamonds are ours.
  size_t size() const { return kdamonds_.size(); }

  // One of ours. Precondition: index < size().
  Kdamond& kdamond(size_t index) { return kdamonds_.at(index); }
  const Kdamond& kdamond(size_t index) const { return kdamonds_.at(index); }

  // Makes all of ours, each with a context that carries our mark. Returns: EBUSY if there are
  // kdamonds, or if another program has come in between.
  Result<void> make();

  // Whether make() has made kdamonds, though perhaps without a mark.
  bool made() const { return made_; }

  // Removes what is ours: the directories, or the contexts in them if not all kdamonds are ours.
  // Precondition: off, and marked or made by us and untouched since. Returns: EBUSY if another
  // program holds the interface all the time.
  Result<void> release();

  // Whether what is staged for any of them carries our mark. An error: not known.
  Result<bool> is_marked() const;

  // Whether nothing is staged for any of them, as just after making the kdamonds. An error: not
  // known.
  Result<bool> is_untouched() const;

 private:
  void let_commands_end() const;
  Result<std::vector<const Kdamond*>> find_ours() const;

  const KernelFiles& files_;
  const Clock& clock_;
  std::vector<Kdamond> kdamonds_;
  bool made_ = false;
};

}  // namespace damon_statfs
