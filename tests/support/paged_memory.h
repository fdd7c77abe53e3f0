// SPDX-License-Identifier: GPL-2.0-or-later
//
// Memory whose every access is known, for looks at single pages. It counts the looks, and a look
// that breaks the interface's rules throws.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <stdexcept>
#include <utility>

#include "damon_statfs/operations.h"
#include "support/fake_clock.h"

namespace damon_statfs::test {

class PagedMemory final : public Operations {
 public:
  static constexpr int64_t kNever = -1;

  // When the page at `addr` was accessed last, up to `now_ns`; kNever: not yet.
  using LastAccess = std::function<int64_t(uint64_t addr, int64_t now_ns)>;

  explicit PagedMemory(FakeClock& clock) : clock_(clock) {}

  Result<std::vector<AddressRange>> open() override {
    ++opened;
    return ranges;
  }
  Result<void> prepare_access_checks(std::span<Region>) override {
    throw std::logic_error("regions are not what is asked for");
  }
  Result<void> check_accesses(std::span<Region>) override {
    throw std::logic_error("regions are not what is asked for");
  }

  Result<void> check_pages(std::span<SampledPage* const> pages) override {
    ++check_calls;
    if (check_errno != 0) return failure(check_errno, "scripted error in check_pages");
    expect_ascending(pages);
    for (SampledPage* const page : pages) {
      clock_.use_cpu(cpu_ns_per_check);
      look(*page);
      ++looks[page->addr];
    }
    on_check(pages);
    return outcome::success();
  }

  Result<void> mark_pages(std::span<SampledPage* const> pages) override {
    ++mark_calls;
    if (mark_errno != 0) return failure(mark_errno, "scripted error in mark_pages");
    expect_ascending(pages);
    for (SampledPage* const page : pages) {
      if (!page->tracked()) throw std::logic_error("only tracked pages can be marked");
      clock_.use_cpu(cpu_ns_per_mark);
      page->marked = true;
      page->marked_ns = clock_.now_ns();
      ++marks[page->addr];
    }
    return outcome::success();
  }

  Result<std::vector<AddressRange>> update() override {
    ++updates;
    if (update_errno != 0) return failure(update_errno, "scripted error in update");
    return ranges;
  }
  void close() noexcept override { ++closed; }

  std::vector<AddressRange> ranges{{0, uint64_t{4} << 30}};
  LastAccess last_access = [](uint64_t, int64_t) { return kNever; };
  std::function<bool(uint64_t addr)> tracked = [](uint64_t) { return true; };
  std::function<void(std::span<SampledPage* const>)> on_check = [](auto) {};
  int64_t cpu_ns_per_check = 0, cpu_ns_per_mark = 0;
  int check_errno = 0, mark_errno = 0, update_errno = 0;

  int opened = 0, closed = 0, updates = 0, check_calls = 0, mark_calls = 0;
  std::map<uint64_t, int> looks, marks;  // by address

 private:
  void look(SampledPage& page) const {
    const int64_t now_ns = clock_.now_ns();
    const bool was_tracked = page.tracked();
    const bool idle = page.marked && last_access(page.addr, now_ns) <= page.marked_ns;
    page.access = !tracked(page.addr) ? PageAccess::kUntracked
                  : !was_tracked      ? PageAccess::kNew
                  : idle              ? PageAccess::kIdle
                                      : PageAccess::kAccessed;
    page.marked = page.access == PageAccess::kIdle;
  }

  static void expect_ascending(std::span<SampledPage* const> pages) {
    for (size_t i = 1; i < pages.size(); ++i) {
      if (pages[i]->group() < pages[i - 1]->group()) throw std::logic_error("groups out of order");
      if (pages[i] == pages[i - 1]) throw std::logic_error("a page twice in one call");
    }
  }

  FakeClock& clock_;
};

}  // namespace damon_statfs::test
