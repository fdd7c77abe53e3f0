// SPDX-License-Identifier: GPL-2.0-or-later
//
// The sample of estimator=pages: a few pages of each of some random words of the page_idle bitmap,
// which stand for the memory around them, and the state of each.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "damon_statfs/observed_pages.h"
#include "damon_statfs/region.h"
#include "engine/base/random.h"

namespace damon_statfs {

class PageSample {
 public:
  static constexpr uint64_t kWordPages = 64;  // of which the page_idle bitmap tells in one word

  // page_bytes: the page size. The sampled pages of a word lie as far apart as they can, since
  // neighbours tend to be used alike.
  PageSample(uint64_t page_bytes, uint64_t seed, const SampleShape& shape = {})
      : page_bytes_(page_bytes), shape_(shape), random_(seed) {}

  // Makes it a sample of `ranges` with about nr_words words, fewer if memory is small (then with
  // more pages of each), more if it lies in ranges of a few pages. Memory is divided into that many
  // parts of equal size, and each has one word at a random place, so that every page is as likely
  // as any other. Pages that still serve keep their history, new ones take over that of a near
  // neighbour, as regions do when they are split, or start at now_ns. Pointers to pages become
  // invalid.
  void fit(std::span<const AddressRange> ranges, uint64_t nr_words, int64_t now_ns);

  // Makes it smaller, in the ratio of nr_words to what fit() or thin() was given last: keeps so
  // many of its words, evenly. Draws no new ones, as fit() would here and there, so that nothing
  // has to be guessed. Pointers to pages become invalid.
  void thin(uint64_t nr_words);

  // Leaves the next one of nr_parts parts of its words to be drawn anew by fit(). Until then it is
  // smaller. Pointers to pages become invalid.
  void forget_part(uint64_t nr_parts);

  // Takes in what is known of its pages now. Precondition: the same pages, in their order.
  void update(std::vector<PageState> states);

  // Ascending by addr.
  std::span<PageState> pages() { return pages_; }
  std::span<const PageState> pages() const { return pages_; }

  // Memory that one word of the bitmap stands for.
  uint64_t word_bytes() const { return page_bytes_ * kWordPages; }

  // Of all monitored pages, the share that is in the sample.
  double sampled_share() const { return sampled_share_; }

 private:
  struct Frame;
  struct Size {
    uint64_t nr_words;
    uint64_t spacing;  // of the sampled pages within a word
  };

  Size size_for(const Frame& frame, uint64_t nr_words) const;
  bool add_page(const PageState& page);
  void add_word(const Frame& frame, uint64_t index, uint64_t spacing, int64_t now_ns);
  bool keep_word(const Frame& frame, uint64_t first, uint64_t end, uint64_t spacing);
  const PageState* neighbour(uint64_t addr, uint64_t reach_bytes) const;

  const uint64_t page_bytes_;
  const SampleShape shape_;
  Random random_;
  std::vector<PageState> pages_;
  std::vector<PageState> old_;  // while fitting
  uint64_t spacing_ = 0;        // of the pages within a word
  uint64_t asked_words_ = 0;    // what fit() or thin() was given last
  uint64_t next_part_ = 0;      // that forget_part() leaves out
  double sampled_share_ = 0;
};

}  // namespace damon_statfs
