// SPDX-License-Identifier: GPL-2.0-or-later
//
// Memory whose every access is known, for checks of single pages. It counts the checks, and a
// check that breaks the interface's rules throws.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>

#include "damon_statfs/page_checks.h"
#include "support/fake_clock.h"

namespace damon_statfs::test {

class PagedMemory final : public PageChecks {
 public:
  static constexpr int64_t kNever = -1;

  // When the page at `addr` was accessed last, up to `now_ns`; kNever: not yet.
  using LastAccess = std::function<int64_t(uint64_t addr, int64_t now_ns)>;

  explicit PagedMemory(FakeClock& clock) : clock_(clock) {}

  Result<std::vector<AddressRange>> open() override {
    ++opened;
    return ranges;
  }
  Result<void> check_pages(std::span<CheckedPage* const> pages) override;
  Result<void> mark_pages(std::span<CheckedPage* const> pages) override;
  Result<std::vector<AddressRange>> update() override;
  void close() noexcept override { ++closed; }
  OperationsFacts facts() const override { return {}; }

  std::vector<AddressRange> ranges{{0, uint64_t{4} << 30}};
  LastAccess last_access = [](uint64_t, int64_t) { return kNever; };
  std::function<bool(uint64_t addr)> tracked = [](uint64_t) { return true; };
  std::function<bool(uint64_t addr)> unmapped_cache = [](uint64_t) { return false; };
  std::function<bool(uint64_t addr)> takes_mark = [](uint64_t) { return true; };
  std::function<void(std::span<CheckedPage* const>)> on_check = [](auto) {};
  int64_t cpu_ns_per_check = 0, cpu_ns_per_mark = 0;
  int check_errno = 0, mark_errno = 0, update_errno = 0;

  int opened = 0, closed = 0, updates = 0, check_calls = 0, mark_calls = 0;
  bool counts_pages = false;  // whether the next two members count, which is slow
  std::unordered_map<uint64_t, int> checks, marks;  // by address

 private:
  void check(CheckedPage& page) const;

  FakeClock& clock_;
};

}  // namespace damon_statfs::test
