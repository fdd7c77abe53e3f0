// SPDX-License-Identifier: GPL-2.0-or-later
//
// The arithmetic behind "next to the truth". It stands alone so that every check uses the same rule
// for what counts as touched.
#include "truth.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace guest_test {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;
// A reading may count as accessed what was touched not longer ago than this.
constexpr int64_t kTouchedNs = 3'000 * kNsPerMs;

double percent(int64_t part_bytes, int64_t total_bytes) {
  return 100.0 * static_cast<double>(part_bytes) / static_cast<double>(total_bytes);
}

// Adds a part of `bytes` to the share that is idle for less than the limit. A reading may be from
// before a pass that has just ended.
void add_part(Share& share, int64_t bytes, const Pass& pass, int64_t now_ns, int64_t limit_ms,
              int64_t total_bytes) {
  const bool under_way = pass.start_ns > pass.end_ns;
  const int64_t youngest_ns = under_way ? 0 : now_ns - pass.end_ns;
  const int64_t oldest_ns = now_ns - (under_way ? pass.end_ns : pass.start_ns);
  const double points = percent(bytes, total_bytes);
  const int64_t limit_ns = limit_ms * kNsPerMs;
  if (youngest_ns >= kUncertainNs && oldest_ns < limit_ns - kUncertainNs) share.least += points;
  if (youngest_ns < limit_ns + kUncertainNs) share.most += points;
}

Share touched_within(const WorkloadState& state, int64_t now_ns, int64_t limit_ms,
                     int64_t total_bytes) {
  const double hot = percent(state.hot_bytes, total_bytes);
  Share share{hot, hot};
  add_part(share, state.warm_bytes, state.warm, now_ns, limit_ms, total_bytes);
  add_part(share, state.cold_bytes, state.cold, now_ns, limit_ms, total_bytes);
  return share;
}

// Since the last pass over the cold part, if that is later than the start of monitoring, and long
// enough ago for the warm part to be younger.
std::optional<int64_t> cold_idle_ms(const WorkloadState& state, int64_t now_ns, int64_t since_ns) {
  constexpr int64_t kApartNs = 12'000'000'000;
  const int64_t idle_ns = now_ns - state.cold.end_ns;
  if (state.cold.start_ns > state.cold.end_ns || state.cold.start_ns < since_ns ||
      idle_ns < kApartNs) {
    return std::nullopt;
  }
  return idle_ns / kNsPerMs;
}

std::string first_word(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::string word;
  in >> word;
  return word;
}

// A kernel without memory hotplug has no blocks.
int64_t offline_bytes(const std::string& blocks) {
  const std::string block_bytes = first_word(blocks + "/block_size_bytes");
  if (block_bytes.empty()) return 0;
  int64_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(blocks)) {
    if (first_word(entry.path() / "state") == "offline") ++count;
  }
  return count * std::stoll(block_bytes, nullptr, 16);
}

double part_bytes_per_second(int64_t bytes, int64_t period_ns, int64_t sample_ns) {
  return period_ns == 0 ? 0
                        : static_cast<double>(bytes) * 1e9 /
                              static_cast<double>(std::max(period_ns, sample_ns));
}

}  // namespace

int64_t system_ram_bytes(bool span, const std::string& iomem, const std::string& blocks) {
  std::ifstream in(iomem);
  int64_t sum = 0, first = -1, last = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == ' ' || line.find(" : System RAM") == std::string::npos) continue;
    int64_t start = 0, end = 0;
    char dash = 0;
    std::istringstream(line) >> std::hex >> start >> dash >> end;
    sum += end + 1 - start;
    if (first < 0) first = start;
    last = end + 1;
  }
  if (sum <= 0) throw std::runtime_error("no System RAM in " + iomem);
  return span ? last - first : sum - offline_bytes(blocks);
}

double Share::error(double read) const {
  return read > most ? read - most : read < least ? read - least : 0;
}

double bytes_per_second(const WorkloadState& state, int64_t sample_us) {
  const int64_t sample_ns = sample_us * 1'000;
  const int64_t hot_ns = std::max(state.hot_period_ns, state.hot_pass_ns);
  return part_bytes_per_second(state.hot_bytes, hot_ns, sample_ns) +
         part_bytes_per_second(state.warm_bytes, state.warm_period_ns, sample_ns) +
         part_bytes_per_second(state.cold_bytes, state.cold_period_ns, sample_ns);
}

Truth truth_at(int64_t now_ns, const WorkloadState& state, int64_t monitored_bytes,
               int64_t monitoring_since_ns) {
  const int64_t touched = state.hot_bytes + state.warm_bytes;
  Truth truth;
  truth.under_1s = touched_within(state, now_ns, 1'000, monitored_bytes);
  truth.under_6s = touched_within(state, now_ns, 6'000, monitored_bytes);
  truth.under_60s = touched_within(state, now_ns, 60'000, monitored_bytes);
  if (now_ns - monitoring_since_ns < 60'000 * kNsPerMs + kUncertainNs) truth.under_60s.most = 100;
  const bool cold_is_touched =
      state.cold.start_ns > state.cold.end_ns || now_ns - state.cold.end_ns < kTouchedNs;
  truth.touched = percent(touched + (cold_is_touched ? state.cold_bytes : 0), monitored_bytes);
  truth.warm_age_s = static_cast<double>(now_ns - state.warm.end_ns) / 1e9;
  truth.warm_index =
      static_cast<size_t>(percent(state.hot_bytes + state.warm_bytes / 2, monitored_bytes));
  truth.cold_index = static_cast<size_t>(percent(touched + state.cold_bytes / 2, monitored_bytes));
  truth.cold_idle_ms = cold_idle_ms(state, now_ns, monitoring_since_ns);
  const int64_t again =
      touched + (state.cold.start_ns > monitoring_since_ns ? state.cold_bytes : 0);
  truth.untouched_index = static_cast<size_t>((100 + percent(again, monitored_bytes)) / 2);
  truth.untouched_idle_ms = (now_ns - monitoring_since_ns) / kNsPerMs;
  return truth;
}

}  // namespace guest_test
