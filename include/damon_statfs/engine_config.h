// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the engine is configured with, beside what its operations sets need (OperationsContext).
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "damon_statfs/page_kind.h"

namespace damon_statfs {

// What turns access checks into statistics. Auto: pages if the operations set can sample single
// pages, which is more accurate; else regions.
enum class EstimatorChoice { kAuto, kRegions, kPages };

struct EngineConfig {
  std::string ops = "auto";      // an operations set's name, or auto
  double max_cpu_percent = 1.0;  // of one CPU, for the engine thread and kdamonds of pages
  EstimatorChoice estimator = EstimatorChoice::kAuto;
  bool kernel_regions = false;  // regions that are checked here go by the kernel's rules, not ours
  ExcludedPages excluded = ExcludedPages::kNone;  // estimator pages only
  uint64_t seed = 0;  // of the random source; 0: a different one at each start
  std::set<std::string, std::less<>> asked_for;  // names of the options that the user has set
};

}  // namespace damon_statfs
