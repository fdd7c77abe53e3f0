// SPDX-License-Identifier: GPL-2.0-or-later
//
// A machine of 4 MiB in a directory: iomem, page flags and the idle bitmap as plain files. A real
// kernel would set KPF_IDLE when a mark takes; here a page has it from the start if it can be
// marked.
#pragma once

#include <cerrno>
#include <optional>

#include "engine/base/folio.h"
#include "engine/page_idle/ops_page_idle.h"
#include "engine/regions/paged_region_checks.h"
#include "support/catch.h"
#include "support/fake_clock.h"
#include "support/log_lines.h"
#include "support/tree_fixture.h"
#include "unit/engine/regions/region_lists.h"

namespace damon_statfs::test {

constexpr char kBitmapPath[] = "/sys/kernel/mm/page_idle/bitmap";
constexpr char kFlagsPath[] = "/proc/kpageflags";
constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kMarkable = kPageLru | kPageIdle;

class PageIdleMachine {
 public:
  PageIdleMachine() {
    tree.write("/proc/iomem", "00000000-003fffff : System RAM\n");
    tree.write_words(kBitmapPath, std::vector<uint64_t>(16, 0));
    tree.write_words(kFlagsPath, std::vector<uint64_t>(1024, kMarkable));
    context.rootfs = tree.root();
    context.clock = &clock;
    context.log = log.sink();
    auto source = page_idle_operations().make<PageChecks>(context);
    operations = source.get();
    region_checks.emplace(std::move(source), clock, kPageBytes);
  }

  void set_flags(uint64_t pfn, uint64_t flags) { tree.set_word(kFlagsPath, pfn, flags); }

  void make_folio(uint64_t head, uint64_t pages, uint64_t flags = kMarkable) {
    set_flags(head, flags | kPageCompoundHead);
    for (uint64_t i = 1; i < pages; ++i) {
      set_flags(head + i, (flags & ~kPageIdle) | kPageCompoundTail);
    }
  }

  // Regions that sample these pages.
  void sample(std::initializer_list<uint64_t> pfns) {
    regions.clear();
    for (const uint64_t pfn : pfns) {
      Region region = make_regions({{pfn * kPageBytes, (pfn + 1) * kPageBytes}})[0];
      region.sampling_addr = pfn * kPageBytes + 123;
      regions.push_back(region);
    }
  }

  Result<void> prepare() { return region_checks->prepare_access_checks(regions); }
  Result<void> check() { return region_checks->check_accesses(regions); }

  // An access clears the bit of the page's folio.
  void touch(uint64_t head) {
    const uint64_t word = tree.word(kBitmapPath, head / 64);
    tree.set_word(kBitmapPath, head / 64, word & ~(uint64_t{1} << head % 64));
  }

  uint64_t bitmap_word(uint64_t index) const { return tree.word(kBitmapPath, index); }

  TreeFixture tree;
  FakeClock clock;
  LogLines log;
  OperationsContext context;
  PageChecks* operations = nullptr;
  std::optional<PagedRegionChecks> region_checks;  // owns `operations`
  Regions regions;
};

using Counts = std::vector<uint32_t>;

}  // namespace damon_statfs::test
