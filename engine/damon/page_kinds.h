// SPDX-License-Identifier: GPL-2.0-or-later
//
// What kind of memory sampled pages are, from /proc/kpageflags: a kdamond says of a page that no
// check can see only that it is idle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "damon_statfs/observed_pages.h"
#include "damon_statfs/result.h"
#include "engine/base/kernel_files.h"
#include "engine/base/word_file.h"

namespace damon_statfs {

class PageKinds {
 public:
  // The files outlive the object. page_bytes: the page size.
  PageKinds(const KernelFiles& files, uint64_t page_bytes)
      : files_(files), page_bytes_(page_bytes) {}

  // Returns: why kinds cannot be told; then that of each page is unknown.
  Result<void> open();
  void close() { kpageflags_.reset(); }

  // Sets the kind of those pages that were never observed.
  void look_at_new(std::span<PageState> pages) const;

  // The same for the next few, so that all have been looked at after a dozen calls: what a page is
  // changes when it is freed, or used for something else.
  void look_at_some(std::span<PageState> pages);

 private:
  void look_at(PageState& page) const;

  const KernelFiles& files_;
  const uint64_t page_bytes_;
  std::unique_ptr<WordFile> kpageflags_;  // none: not readable
  size_t next_ = 0;                       // the page to be looked at next
};

}  // namespace damon_statfs
