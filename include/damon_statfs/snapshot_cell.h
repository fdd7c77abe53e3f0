// SPDX-License-Identifier: GPL-2.0-or-later
//
// The way out of the engine: a cell that holds the newest Snapshot. One thread publishes, one
// thread reads; neither ever waits for the other, and a reader that comes back after a week finds
// the newest.
#pragma once

#include <array>
#include <atomic>
#include <boost/lockfree/spsc_queue.hpp>
#include <cstdint>

#include "damon_statfs/snapshot.h"

namespace damon_statfs {

// Four slots: one being written, one published, and two with the reader while it changes over. A
// slot goes from the writer through `published_` to the reader and through `returned_` back, so
// that its content has one owner at any time; a snapshot that was not read goes straight back to
// the writer.
class SnapshotCell {
 public:
  SnapshotCell() {
    for (uint8_t slot = 2; slot < kSlots; ++slot) returned_.push(slot);
  }

  // Makes `snapshot` the newest. Only the engine thread, or with no engine thread, its owner.
  void publish(const Snapshot& snapshot) {
    slots_[writing_] = snapshot;
    const uint8_t unread = published_.exchange(writing_, std::memory_order_acq_rel);
    if (unread != kNone) {
      writing_ = unread;
    } else {
      returned_.pop(writing_);  // never empty: of four, one is published and the reader has two
    }
  }

  // Returns: the newest snapshot; valid until the next call. Only the reading thread.
  const Snapshot& newest() {
    if (published_.load(std::memory_order_relaxed) != kNone) {
      const uint8_t slot = published_.exchange(kNone, std::memory_order_acq_rel);
      returned_.push(reading_);
      reading_ = slot;
    }
    return slots_[reading_];
  }

 private:
  static constexpr uint8_t kSlots = 4;
  static constexpr uint8_t kNone = kSlots;

  std::array<Snapshot, kSlots> slots_{};
  std::atomic<uint8_t> published_{kNone};                                             // both
  boost::lockfree::spsc_queue<uint8_t, boost::lockfree::capacity<kSlots>> returned_;  // both
  uint8_t writing_ = 0;                                                               // writer only
  uint8_t reading_ = 1;                                                               // reader only
};

}  // namespace damon_statfs
