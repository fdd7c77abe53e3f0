// SPDX-License-Identifier: GPL-2.0-or-later
//
// Readings of memory_idle_ms_percentiles and what they say in shares of memory. It serves the mount
// and the kernel's own DAMON_STAT directory alike, since both hold the same files.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace guest_test {

// Idle time in ms of memory in ascending order; index i covers the first i percent of it.
using Percentiles = std::array<int64_t, 101>;

// Returns: nothing unless the text is exactly 101 numbers joined by commas and one newline.
std::optional<Percentiles> parse_percentiles(const std::string& text);

// Percent of memory with an idle time below the limit; accessed memory counts (zero or negative).
double share_below(const Percentiles& percentiles, int64_t limit_ms);

// Writes Y to `enabled`. Returns: the time at which it had taken effect. Throws when it fails.
int64_t switch_on(const std::string& directory);

// Percent of memory that the last window saw accessed: idle time zero (6.17) or negative (6.18).
inline double share_accessed(const Percentiles& percentiles) { return share_below(percentiles, 1); }

// Whole text of a file, empty when it cannot be read.
std::string read_text(const std::string& path);

struct Reading {
  int64_t noticed_ns = 0;  // CLOCK_MONOTONIC
  Percentiles percentiles{};
};

// Notices new readings by reading the file several times a second.
class ReadingPoller {
 public:
  // The reading that is there now is an old one: it is never returned.
  explicit ReadingPoller(std::string directory, int64_t poll_ms = 200);

  // Waits for the next reading. Returns: nothing when none has come by the deadline.
  std::optional<Reading> next(int64_t deadline_ns);

 private:
  std::string settled(std::string text) const;

  std::string path_;
  int64_t poll_ms_;
  std::string last_;
};

}  // namespace guest_test
