// SPDX-License-Identifier: GPL-2.0-or-later
//
// Parsing and polling of the percentiles file. A text of any other shape stops the test: a checker
// that skipped it would hide a broken file.
#include "readings.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "workload_state.h"

namespace guest_test {
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

int64_t switch_on(const std::string& directory) {
  const std::string path = directory + "/enabled";
  const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  const bool written = file >= 0 && write(file, "Y\n", 2) == 2;
  const int error = errno;
  if (file >= 0) close(file);
  if (!written) throw std::runtime_error("cannot write Y to " + path + ": " + std::strerror(error));
  if (read_text(path) != "Y\n")
    throw std::runtime_error(path + " does not read Y after writing it");
  return monotonic_ns();
}

ReadingPoller::ReadingPoller(std::string directory, int64_t poll_ms)
    : path_(std::move(directory) + "/memory_idle_ms_percentiles"),
      poll_ms_(poll_ms),
      last_(read_text(path_)) {}

// The kernel's DAMON_STAT fills its numbers in one by one, while they can be read.
std::string ReadingPoller::settled(std::string text) const {
  constexpr timespec kPause{0, 10'000'000};
  for (std::string before; before != text; text = read_text(path_)) {
    before = text;
    nanosleep(&kPause, nullptr);
  }
  return text;
}

std::optional<Reading> ReadingPoller::next(int64_t deadline_ns) {
  const timespec pause{0, poll_ms_ * 1'000'000};
  while (monotonic_ns() < deadline_ns) {
    nanosleep(&pause, nullptr);
    const int64_t now_ns = monotonic_ns();
    std::string text = read_text(path_);
    if (text == last_) continue;
    text = settled(std::move(text));
    const auto percentiles = parse_percentiles(text);
    if (!percentiles) throw std::runtime_error("not 101 numbers in " + path_ + ": " + text);
    last_ = std::move(text);
    return Reading{now_ns, *percentiles};
  }
  return std::nullopt;
}

}  // namespace guest_test
