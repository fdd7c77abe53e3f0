// SPDX-License-Identifier: GPL-2.0-or-later
//
// What may change while monitoring is on. Everything else that is configured holds until the end of
// the mount.
#pragma once

#include <cstdint>

#include "damon_statfs/attrs.h"

namespace damon_statfs {

struct RunSettings {
  double max_cpu_percent = 1.0;  // of one CPU, for the engine thread and kdamonds of pages
  uint64_t refresh_ms = 5'000;   // least time between two refreshes
  IntervalsGoal goal;

  bool operator==(const RunSettings&) const = default;
};

}  // namespace damon_statfs
