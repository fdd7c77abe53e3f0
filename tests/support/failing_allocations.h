// SPDX-License-Identifier: GPL-2.0-or-later
//
// Memory that runs out at a chosen moment: with FailingAllocation in scope, one allocation of the
// whole program, counted from 0, throws std::bad_alloc.
#pragma once

#include <cstdint>

namespace damon_statfs::test {

class FailingAllocation {
 public:
  // The `number`th allocation from now on fails, in whatever thread that is, and no other one.
  explicit FailingAllocation(int64_t number);
  FailingAllocation(const FailingAllocation&) = delete;
  FailingAllocation& operator=(const FailingAllocation&) = delete;
  ~FailingAllocation();  // none fails any more

  // Whether there were so many allocations.
  static bool has_failed();
};

}  // namespace damon_statfs::test
