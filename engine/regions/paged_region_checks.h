// SPDX-License-Identifier: GPL-2.0-or-later
//
// Region checks by a source that can check single pages: a region's sampled page is marked, and
// checked one sampling interval later. So the rules for what counts as an access stand once, in the
// source.
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "damon_statfs/clock.h"
#include "damon_statfs/page_checks.h"
#include "damon_statfs/region_checks.h"

namespace damon_statfs {

class PagedRegionChecks final : public RegionChecks {
 public:
  // The clock outlives the object. page_bytes: the page size.
  PagedRegionChecks(std::unique_ptr<PageChecks> source, const Clock& clock, uint64_t page_bytes)
      : source_(std::move(source)), clock_(clock), page_bytes_(page_bytes) {}

  Result<std::vector<AddressRange>> open() override { return source_->open(); }
  Result<std::vector<AddressRange>> update() override { return source_->update(); }
  void close() noexcept override { source_->close(); }
  OperationsFacts facts() const override { return source_->facts(); }

  Result<void> prepare_access_checks(std::span<Region> regions) override;
  Result<void> check_accesses(std::span<Region> regions) override;

 private:
  template <class Wanted>
  std::span<CheckedPage* const> pages_where(std::span<CheckedPage> pages, const Wanted& wanted);

  const std::unique_ptr<PageChecks> source_;
  const Clock& clock_;
  const uint64_t page_bytes_;
  std::vector<CheckedPage> pages_;    // of the regions prepared and not yet checked, in their order
  size_t nr_checked_ = 0;             // of them, from the beginning
  std::vector<CheckedPage*> chosen_;  // by the last pages_where(); kept for its memory
};

}  // namespace damon_statfs
