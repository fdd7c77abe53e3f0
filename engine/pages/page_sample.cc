// SPDX-License-Identifier: GPL-2.0-or-later
//
// Stratified sampling with one word per stratum. The words of all ranges are numbered through; a
// stratum is an interval of these numbers whose ends need not be whole.
#include "engine/pages/page_sample.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <utility>

#include "engine/base/memory_ranges.h"
#include "engine/base/wide.h"

namespace damon_statfs {
namespace {

bool by_addr(const PageState& page, uint64_t addr) { return page.addr < addr; }

}  // namespace

// The words that the monitored ranges touch, numbered from 0.
struct PageSample::Frame {
  Frame(std::span<const AddressRange> monitored, uint64_t bytes_per_page)
      : ranges(monitored), word_bytes(bytes_per_page * kWordPages) {
    for (const AddressRange& range : ranges) nr_words += words_of(range);
  }

  uint64_t words_of(const AddressRange& range) const {
    return range.size_bytes() == 0 ? 0
                                   : (range.end - 1) / word_bytes - range.start / word_bytes + 1;
  }

  // The part of word `index` that is monitored. Beyond the last word: an empty range at the end.
  AddressRange word(uint64_t index) const {
    for (const AddressRange& range : ranges) {
      const uint64_t words = words_of(range);
      if (index < words) {
        const uint64_t start = (range.start / word_bytes + index) * word_bytes;
        return {std::max(start, range.start), std::min(start + word_bytes, range.end)};
      }
      index -= words;
    }
    return {ranges.back().end, ranges.back().end};
  }

  std::span<const AddressRange> ranges;
  uint64_t word_bytes;
  uint64_t nr_words = 0;
};

void PageSample::update(std::vector<PageState> states) {
  assert(states.size() == pages_.size());
  pages_ = std::move(states);
}

// How many words there have to be, and how many pages of each, for as many pages as nr_words full
// words have.
PageSample::Size PageSample::size_for(const Frame& frame, uint64_t nr_words) const {
  const uint64_t wanted_pages = nr_words * shape_.pages_per_word;
  const uint64_t page_bytes = frame.word_bytes / kWordPages;
  const uint64_t all_pages = std::max<uint64_t>(total_bytes(frame.ranges) / page_bytes, 1);
  // Ranges of a few pages leave most of a word to other uses: more words are needed then.
  nr_words = std::max(nr_words, mul_div(frame.nr_words, wanted_pages, all_pages));
  // Strata shorter than two words would meet in one.
  nr_words = frame.nr_words <= nr_words ? frame.nr_words : std::min(nr_words, frame.nr_words / 2);
  nr_words = std::max<uint64_t>(nr_words, 1);
  const uint64_t nr_frame = std::max<uint64_t>(frame.nr_words, 1);
  const uint64_t pages = std::max<uint64_t>(mul_div(all_pages, nr_words, nr_frame), 1);
  const uint64_t per_word =
      std::clamp(wanted_pages * kWordPages / pages, shape_.pages_per_word, kWordPages);
  const uint64_t least_spacing = shape_.apart ? 2 : 1;
  return {nr_words, std::max(kWordPages / std::bit_ceil(per_word), least_spacing)};
}

void PageSample::fit(std::span<const AddressRange> ranges, uint64_t nr_words, int64_t now_ns) {
  const Frame frame(ranges, page_bytes_);
  asked_words_ = nr_words;
  const Size size = size_for(frame, nr_words);
  const uint64_t spacing = size.spacing;
  nr_words = frame.nr_words == 0 ? 0 : size.nr_words;

  old_ = std::move(pages_);
  pages_.clear();
  pages_.reserve(nr_words * kWordPages / spacing);
  uint64_t next = 0;  // the first word that is not taken yet
  for (uint64_t stratum = 0; stratum < nr_words; ++stratum) {
    const uint64_t first = std::max(mul_div(frame.nr_words, stratum, nr_words), next);
    const uint64_t end = mul_div(frame.nr_words, stratum + 1, nr_words);
    if (keep_word(frame, first, end, spacing)) {
      next = end;
      continue;
    }
    // A word that this stratum shares with the next one may have been drawn for it.
    const bool shares = frame.nr_words * (stratum + 1) % nr_words != 0;
    if (shares && keep_word(frame, std::max(end, next), end + 1, spacing)) {
      next = end + 1;
      continue;
    }
    // In 2^-32 of a stratum, so that parts of words count as such.
    constexpr uint64_t kOne = uint64_t{1} << 32;
    const uint64_t place = (stratum << 32) + random_.in_range(0, kOne);
    // Where the stratum before has that word, the one beside it is as good. To have none would
    // leave this stratum out of what is known.
    const uint64_t index = std::max(mul_div(frame.nr_words, place, nr_words << 32), next);
    if (index >= frame.nr_words) continue;
    add_word(frame, index, spacing, now_ns);
    next = index + 1;
  }
  spacing_ = spacing;
  old_.clear();
  const uint64_t all = total_bytes(ranges) / page_bytes_;
  sampled_share_ =
      static_cast<double>(pages_.size()) / static_cast<double>(std::max<uint64_t>(all, 1));
}

void PageSample::thin(uint64_t nr_words) {
  const auto word_of = [this](const PageState& page) { return page.addr / word_bytes(); };
  uint64_t words = 0;
  for (size_t i = 0; i < pages_.size(); ++i) {
    if (i == 0 || word_of(pages_[i]) != word_of(pages_[i - 1])) ++words;
  }
  const uint64_t asked_before = std::exchange(asked_words_, nr_words);
  nr_words = std::max(nr_words, mul_div(words, nr_words, std::max<uint64_t>(asked_before, 1)));
  if (words <= nr_words) return;
  old_ = std::move(pages_);
  pages_.clear();
  uint64_t index = 0;  // of the word
  for (size_t i = 0; i < old_.size(); ++i) {
    if (i > 0 && word_of(old_[i]) != word_of(old_[i - 1])) ++index;
    const bool kept = (index + 1) * nr_words / words != index * nr_words / words;
    if (kept) pages_.push_back(old_[i]);
  }
  sampled_share_ *= static_cast<double>(pages_.size()) / static_cast<double>(old_.size());
  old_.clear();
}

// Every nr_parts-th word, so that a new one has old neighbours.
void PageSample::forget_part(uint64_t nr_parts) {
  old_ = std::move(pages_);
  pages_.clear();
  uint64_t index = 0;  // of the word
  for (size_t i = 0; i < old_.size(); ++i) {
    if (i > 0 && old_[i].addr / word_bytes() != old_[i - 1].addr / word_bytes()) ++index;
    if (index % nr_parts != next_part_ % nr_parts) pages_.push_back(old_[i]);
  }
  ++next_part_;
  old_.clear();
}

// Keeps one of the old words that lie in [first, end), at random. Returns: whether there is any.
bool PageSample::keep_word(const Frame& frame, uint64_t first, uint64_t end, uint64_t spacing) {
  if (old_.empty() || spacing != spacing_ || first >= end) return false;
  const auto from = std::lower_bound(old_.begin(), old_.end(), frame.word(first).start, by_addr);
  const auto to = std::lower_bound(from, old_.end(), frame.word(end - 1).end, by_addr);
  if (from == to) return false;
  const auto word_of = [&](const PageState& page) { return page.addr / frame.word_bytes; };
  const auto chosen =
      from + static_cast<std::ptrdiff_t>(random_.in_range(0, static_cast<uint64_t>(to - from)));
  const uint64_t word = word_of(*chosen);
  bool kept = false;
  for (auto page = from; page != to; ++page) {
    if (word_of(*page) != word) continue;
    const bool monitored =
        std::any_of(frame.ranges.begin(), frame.ranges.end(), [&](const AddressRange& range) {
          return page->addr >= range.start && page->addr + page_bytes_ <= range.end;
        });
    if (!monitored) continue;
    kept = add_page(*page) || kept;
  }
  return kept;
}

void PageSample::add_word(const Frame& frame, uint64_t index, uint64_t spacing, int64_t now_ns) {
  const AddressRange part = frame.word(index);
  const uint64_t word_start = part.start / frame.word_bytes * frame.word_bytes;
  const uint64_t offset = random_.in_range(0, spacing);
  const uint64_t old_words = old_.size() * spacing_ / kWordPages;
  const uint64_t reach_bytes =
      old_words == 0 ? 0 : 2 * (frame.nr_words / old_words + 1) * frame.word_bytes;
  for (uint64_t i = offset; i < kWordPages; i += spacing) {
    PageState page;
    page.addr = word_start + i * page_bytes_;
    if (page.addr < part.start || page.addr + page_bytes_ > part.end) continue;
    page.since_ns = now_ns;
    if (const PageState* const near = neighbour(page.addr, reach_bytes)) {
      page.accessed = near->accessed;
      page.since_ns = near->since_ns;
      page.last_access_ns = near->last_access_ns;
    }
    add_page(page);
  }
}

// Returns: whether it could be taken.
bool PageSample::add_page(const PageState& page) {
  const bool neighbours = !pages_.empty() && pages_.back().addr + page_bytes_ >= page.addr;
  if (shape_.apart && neighbours) return false;
  pages_.push_back(page);
  return true;
}

// Returns: the nearest idle one of the old pages within reach, or if there is none, the nearest
// one, or nullptr. The first observation tells whether the new page is in use, but of an idle one
// not for how long it has been so.
const PageState* PageSample::neighbour(uint64_t addr, uint64_t reach_bytes) const {
  const PageState* nearest = nullptr;
  uint64_t nearest_bytes = 0;
  // Returns: whether one that is farther may be nearer to what is wanted.
  const auto consider = [&](const PageState& page) {
    const uint64_t bytes = std::max(page.addr, addr) - std::min(page.addr, addr);
    if (bytes > reach_bytes) return false;
    const bool nearer = nearest == nullptr || (nearest->accessed && !page.accessed) ||
                        (nearest->accessed == page.accessed && bytes < nearest_bytes);
    if (nearer) {
      nearest = &page;
      nearest_bytes = bytes;
    }
    return page.accessed;
  };
  const auto above = std::lower_bound(old_.begin(), old_.end(), addr, by_addr);
  for (auto page = above; page != old_.end() && consider(*page);) ++page;
  for (auto page = above; page != old_.begin() && consider(*std::prev(page));) --page;
  return nearest;
}

}  // namespace damon_statfs
