// SPDX-License-Identifier: GPL-2.0-or-later
//
// Memory in parts whose every access is known, and with it what an estimator has to say of it. A
// page is accessed at the multiples of its part's period.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace damon_statfs::test {

struct KnownPart {
  double share;       // of memory
  int64_t period_ns;  // 0: its pages are never accessed
};

class KnownMemory {
 public:
  enum class Layout { kInARow, kScattered };
  static constexpr int64_t kNever = -1;

  // The parts lie one after the other, or each page is of one of them at random. Shares add up
  // to 1.
  explicit KnownMemory(std::vector<KnownPart> parts, Layout layout = Layout::kInARow,
                       uint64_t bytes = uint64_t{4} << 30)
      : parts_(std::move(parts)), layout_(layout), bytes_(bytes) {}

  // When the page at `addr` was accessed last, up to now_ns; kNever: not yet.
  int64_t last_access(uint64_t addr, int64_t now_ns) const;

  // The same as a function. The memory outlives it.
  std::function<int64_t(uint64_t, int64_t)> accesses() const {
    return [this](uint64_t addr, int64_t now_ns) { return last_access(addr, now_ns); };
  }

  // The percent of memory that at now_ns has been idle for less than `ns`.
  double percent_below(int64_t ns, int64_t now_ns) const;

 private:
  const std::vector<KnownPart> parts_;
  const Layout layout_;
  const uint64_t bytes_;
};

// The last access of a page that is accessed once per period, each page at a moment of its own.
int64_t accessed_in_turn(uint64_t addr, int64_t period_ns, int64_t now_ns);

}  // namespace damon_statfs::test
