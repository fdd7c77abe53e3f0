// SPDX-License-Identifier: GPL-2.0-or-later
//
// One operations set: its name, what it needs, and what makes it. The registry has one for each.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "damon_statfs/mirror.h"
#include "damon_statfs/operations.h"
#include "damon_statfs/result.h"

namespace damon_statfs {

struct OperationsSet {
  std::string name;
  bool automatic = true;  // whether ops=auto may pick it

  // Returns: what the set would work with, or the one reason why it cannot. Changes nothing.
  Result<std::string> (*probe)(const OperationsContext& context) = nullptr;

  // One of the two: the set is monitored through, or it is a mirror of what monitors by itself.
  std::unique_ptr<Operations> (*create)(const OperationsContext& context) = nullptr;
  std::unique_ptr<Mirror> (*create_mirror)(const OperationsContext& context) = nullptr;

  // Puts right what a daemon that was killed has left behind in the kernel, if the set can leave
  // anything. What is logged says so.
  void (*recover)(const OperationsContext& context) = nullptr;

  bool checks_pages = false;  // whether estimator=pages works with it

  // How long a call into the set may take without hanging: open() and close(), or a mirror's write.
  // A stop takes no longer, and whatever waits for one waits at least as long.
  uint64_t max_close_ms = 1'500;

  // Names of mount options that the set has no use for, each between blanks: " seed ram ".
  std::string_view unused_options = "";

  // Whether the set has a use for the mount option of that name.
  bool uses_option(std::string_view option) const;
};

// Which estimator the values come from when none is asked for: "pages" where the set can check
// single pages, "regions" where it checks or delivers regions, "kernel" for a mirror.
std::string_view default_estimator(const OperationsSet& set);

}  // namespace damon_statfs
