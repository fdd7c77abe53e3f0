// SPDX-License-Identifier: GPL-2.0-or-later
//
// The way out of the engine: a cell that holds the newest Snapshot. One thread publishes, one
// thread reads; neither ever waits for the other, and a reader that comes back after a week finds
// the newest.
#pragma once

#include <array>
#include <atomic>
#include <boost/lockfree/policies.hpp>
#include <boost/lockfree/stack.hpp>
#include <cstdint>

#include "damon_statfs/snapshot.h"

namespace damon_statfs {

// Four slots: one being written, one published, and two with the reader while it changes over. A
// slot's index travels from the stack of free slots through `published_` to the reader and back, so
// its content has one owner at any time.
class SnapshotCell {
 public:
  SnapshotCell() {
    for (uint8_t slot = 1; slot < kSlots; ++slot) free_.bounded_push(slot);
  }

  // Makes `snapshot` the newest. Only the engine thread, or with no engine thread, its owner.
  void publish(const Snapshot& snapshot) {
    uint8_t slot = kNone;
    free_.pop(slot);  // never empty: one slot at most is published, two are the reader's
    slots_[slot] = snapshot;
    const uint8_t unread = published_.exchange(slot, std::memory_order_acq_rel);
    if (unread != kNone) free_.bounded_push(unread);
  }

  // Returns: the newest snapshot; valid until the next call. Only the reading thread.
  const Snapshot& newest() {
    if (published_.load(std::memory_order_relaxed) != kNone) {
      const uint8_t slot = published_.exchange(kNone, std::memory_order_acq_rel);
      free_.bounded_push(reading_);
      reading_ = slot;
    }
    return slots_[reading_];
  }

 private:
  static constexpr uint8_t kSlots = 4;
  static constexpr uint8_t kNone = kSlots;

  std::array<Snapshot, kSlots> slots_{};
  boost::lockfree::stack<uint8_t, boost::lockfree::capacity<kSlots>> free_;  // both threads
  std::atomic<uint8_t> published_{kNone};                                    // both threads
  uint8_t reading_ = 0;                                                      // reader only
};

}  // namespace damon_statfs
