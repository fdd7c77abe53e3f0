// SPDX-License-Identifier: GPL-2.0-or-later
//
// Text in and out of the parameter files, byte for byte as the kernel writes and reads it.
#include "fs/params.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace damon_statfs {
namespace {

std::string show_idle_percentiles(const Snapshot& snapshot, Abi abi) {
  fmt::memory_buffer text;
  for (int64_t idle_ms : snapshot.statistics.memory_idle_ms_percentiles) {
    // 6.17 knows no negative idle time: what is accessed has been idle for 0 ms.
    if (abi == Abi::k6_17) idle_ms = std::max<int64_t>(idle_ms, 0);
    if (text.size() > 0) text.push_back(',');
    const fmt::format_int digits(idle_ms);
    text.append(digits.data(), digits.data() + digits.size());
  }
  text.push_back('\n');
  return fmt::to_string(text);
}

std::string show_enabled(const Snapshot& snapshot, Abi) {
  return snapshot.status.state == EngineState::kOn ? "Y\n" : "N\n";
}

std::string show_bandwidth(const Snapshot& snapshot, Abi) {
  return fmt::format("{}\n", snapshot.statistics.estimated_memory_bandwidth_bytes_per_s);
}

std::string show_kdamond_pid(const Snapshot& snapshot, Abi) {
  return fmt::format("{}\n", snapshot.status.tid);
}

std::string show_aggr_interval(const Snapshot& snapshot, Abi) {
  return fmt::format("{}\n", snapshot.statistics.aggr_interval_us);
}

constexpr std::array kParams = {
    Param{"memory_idle_ms_percentiles", 0400, Abi::k6_17, 28192165, false, show_idle_percentiles},
    Param{"enabled", 0600, Abi::k6_17, 457254161, true, show_enabled},
    Param{"estimated_memory_bandwidth", 0400, Abi::k6_17, 1606652439, false, show_bandwidth},
    Param{"kdamond_pid", 0400, Abi::k7_2, 1865854669, false, show_kdamond_pid},
    Param{"aggr_interval_us", 0400, Abi::k6_18, 1870123395, false, show_aggr_interval},
};

bool is_one_of(char character, const char* set) {
  return character != '\0' && std::strchr(set, character) != nullptr;
}

}  // namespace

std::span<const Param> all_params() { return kParams; }

std::optional<bool> parse_bool(std::string_view text, Abi abi) {
  const char first = text.empty() ? '\0' : text[0];
  const char second = text.size() < 2 ? '\0' : text[1];
  const bool knows_enable = abi >= Abi::k6_18;
  if (is_one_of(first, "yYtT1") || (knows_enable && is_one_of(first, "eE"))) return true;
  if (is_one_of(first, "nNfF0") || (knows_enable && is_one_of(first, "dD"))) return false;
  if (is_one_of(first, "oO") && is_one_of(second, "nN")) return true;
  if (is_one_of(first, "oO") && is_one_of(second, "fF")) return false;
  return std::nullopt;
}

}  // namespace damon_statfs
