// SPDX-License-Identifier: GPL-2.0-or-later
//
// Parsing and polling of the percentiles file. A text of any other shape stops the test: a checker
// that skipped it would hide a broken file.
#include "readings.h"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "workload_state.h"

namespace guest_test {
namespace {

constexpr timespec kPollInterval{0, 200'000'000};

}  // namespace

std::optional<Percentiles> parse_percentiles(const std::string& text) {
  if (text.empty() || text.back() != '\n') return std::nullopt;
  Percentiles percentiles{};
  std::istringstream in(text);
  for (size_t i = 0; i < percentiles.size(); ++i) {
    char separator = 0;
    if (!(in >> percentiles[i]) || !in.get(separator)) return std::nullopt;
    if (separator != (i + 1 < percentiles.size() ? ',' : '\n')) return std::nullopt;
  }
  if (in.peek() != std::char_traits<char>::eof()) return std::nullopt;
  return percentiles;
}

double share_below(const Percentiles& percentiles, int64_t limit_ms) {
  const auto count = std::count_if(percentiles.begin(), percentiles.end(),
                                   [limit_ms](int64_t idle_ms) { return idle_ms < limit_ms; });
  if (count == 0) return 0;
  if (count == 101) return 100;
  // The first `count` indexes are below: the share is in [count - 1, count). Take the middle.
  return static_cast<double>(count) - 0.5;
}

std::string read_text(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

ReadingPoller::ReadingPoller(std::string directory)
    : path_(std::move(directory) + "/memory_idle_ms_percentiles"), last_(read_text(path_)) {}

std::optional<Reading> ReadingPoller::next(int64_t deadline_ns) {
  while (monotonic_ns() < deadline_ns) {
    nanosleep(&kPollInterval, nullptr);
    const int64_t now_ns = monotonic_ns();
    std::string text = read_text(path_);
    if (text == last_) continue;
    const auto percentiles = parse_percentiles(text);
    if (!percentiles) throw std::runtime_error("not 101 numbers in " + path_ + ": " + text);
    last_ = std::move(text);
    return Reading{now_ns, *percentiles};
  }
  return std::nullopt;
}

}  // namespace guest_test
