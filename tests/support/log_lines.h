// SPDX-License-Identifier: GPL-2.0-or-later
//
// A log sink that keeps the lines, because what is said, and how often, is part of the contract.
#pragma once

#include <algorithm>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "damon_statfs/log.h"

namespace damon_statfs::test {

class LogLines {
 public:
  LogSink sink() {
    return [this](LogLevel level, std::string_view text) {
      const std::lock_guard lock(mutex_);
      lines_.emplace_back(level, text);
    };
  }

  // How many lines of that level, or a more severe one, contain `part`.
  size_t count(LogLevel level, std::string_view part = "") const {
    const std::lock_guard lock(mutex_);
    return static_cast<size_t>(std::count_if(lines_.begin(), lines_.end(), [&](const auto& line) {
      return line.first >= level && line.second.find(part) != std::string::npos;
    }));
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<LogLevel, std::string>> lines_;
};

}  // namespace damon_statfs::test
