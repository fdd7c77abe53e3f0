// SPDX-License-Identifier: GPL-2.0-or-later
//
// The arithmetic behind "next to the truth". It stands alone so that every check uses the same rule
// for what counts as touched.
#include "truth.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace guest_test {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;

double percent(int64_t part_bytes, int64_t total_bytes) {
  return 100.0 * static_cast<double>(part_bytes) / static_cast<double>(total_bytes);
}

bool warm_touched_within(const WorkloadState& state, int64_t now_ns, int64_t limit_ms) {
  const bool under_way = state.warm_start_ns > state.warm_end_ns;
  return under_way || now_ns - state.warm_end_ns < limit_ms * kNsPerMs;
}

double touched_within(const WorkloadState& state, int64_t now_ns, int64_t limit_ms, int64_t total) {
  const int64_t warm = warm_touched_within(state, now_ns, limit_ms) ? state.warm_bytes : 0;
  return percent(state.hot_bytes + warm, total);
}

}  // namespace

int64_t system_ram_bytes(bool span, const std::string& iomem) {
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
  return span ? last - first : sum;
}

Truth truth_at(int64_t now_ns, const WorkloadState& state, int64_t monitored_bytes,
               int64_t monitoring_since_ns) {
  const int64_t touched = state.hot_bytes + state.warm_bytes;
  Truth truth;
  truth.under_1s = touched_within(state, now_ns, 1'000, monitored_bytes);
  truth.under_6s = touched_within(state, now_ns, 6'000, monitored_bytes);
  truth.touched = percent(touched, monitored_bytes);
  truth.warm_age_s = static_cast<double>(now_ns - state.warm_end_ns) / 1e9;
  truth.cold_index = static_cast<size_t>(percent(touched + state.cold_bytes / 2, monitored_bytes));
  truth.untouched_index = static_cast<size_t>((100 + truth.touched) / 2);
  truth.cold_idle_ms = (now_ns - std::max(state.cold_end_ns, monitoring_since_ns)) / kNsPerMs;
  return truth;
}

}  // namespace guest_test
