// SPDX-License-Identifier: GPL-2.0-or-later
//
// Strict parsers: no locale, no leading blanks, no overflow, no rest.
#include "mount/values.h"

#include <charconv>
#include <limits>

#include "damon_statfs/attrs.h"
#include "damon_statfs/clock.h"
#include "engine/base/text.h"

namespace damon_statfs {
namespace {

constexpr uint64_t kMinPageBytes = 4096;
constexpr uint64_t kMaxAddress = uint64_t{1} << 62;

// 64, 64K, 0x10000: bytes, up to kMaxAddress.
std::optional<uint64_t> parse_bytes(std::string_view text) {
  const bool is_hex = text.substr(0, 2) == "0x";
  if (is_hex) text.remove_prefix(2);
  const std::optional<uint64_t> number = take_number<uint64_t>(text, is_hex ? 16 : 10);
  if (!number) return std::nullopt;
  unsigned shift = 0;
  if (!text.empty()) {
    const size_t suffix = std::string_view("KMGTP").find(text.front());
    if (suffix == std::string_view::npos || text.size() > 1) return std::nullopt;
    shift = 10 * (static_cast<unsigned>(suffix) + 1);
  }
  if (*number > kMaxAddress >> shift) return std::nullopt;
  return *number << shift;
}

// Nanoseconds; 0 for never.
std::optional<int64_t> parse_period(std::string_view text) {
  if (text == "never") return 0;
  const std::optional<uint64_t> number = take_number<uint64_t>(text);
  if (!number || *number == 0 || *number > kMaxIntervalUs / 1'000'000) return std::nullopt;
  int64_t unit_ns = 0;
  if (text == "us") unit_ns = kNsPerUs;
  if (text == "ms") unit_ns = kNsPerMs;
  if (text == "s") unit_ns = kNsPerSecond;
  if (unit_ns == 0) return std::nullopt;
  return static_cast<int64_t>(*number) * unit_ns;
}

// Calls take(part) for each part of `text` between plus signs, until it returns false. Returns:
// whether it never did.
template <class Take>
bool for_each_part(std::string_view text, const Take& take) {
  for (;;) {
    const size_t plus = text.find('+');
    if (!take(text.substr(0, plus))) return false;
    if (plus == std::string_view::npos) return true;
    text.remove_prefix(plus + 1);
  }
}

}  // namespace

std::optional<uint64_t> parse_count(std::string_view text, uint64_t min, uint64_t max) {
  const std::optional<uint64_t> number = take_number<uint64_t>(text);
  if (!number || !text.empty() || *number < min || *number > max) return std::nullopt;
  return number;
}

std::optional<pid_t> parse_pid(std::string_view text) {
  const std::optional<uint64_t> number = parse_count(text, 1, std::numeric_limits<pid_t>::max());
  if (!number) return std::nullopt;
  return static_cast<pid_t>(*number);
}

std::optional<double> parse_percent(std::string_view text) {
  double percent = 0;
  const auto [rest, error] =
      std::from_chars(text.data(), text.data() + text.size(), percent, std::chars_format::fixed);
  const bool whole = error == std::errc() && rest == text.data() + text.size();
  if (!whole || !(percent >= 0.001 && percent <= 100)) return std::nullopt;
  return percent;
}

std::optional<std::vector<SimPart>> parse_sim(std::string_view text) {
  std::vector<SimPart> parts;
  uint64_t total = 0;
  const auto take_part = [&](std::string_view part) {
    const size_t at = part.find('@');
    if (at == std::string_view::npos) return false;
    const std::optional<uint64_t> size = parse_bytes(part.substr(0, at));
    const std::optional<int64_t> period_ns = parse_period(part.substr(at + 1));
    if (!size || !period_ns || *size == 0 || *size % kMinPageBytes != 0) return false;
    if (*size > kMaxAddress - total) return false;
    total += *size;
    parts.push_back({*size, *period_ns});
    return true;
  };
  if (!for_each_part(text, take_part)) return std::nullopt;
  return parts;
}

std::optional<RamSelection> parse_ram(std::string_view text) {
  using Kind = RamSelection::Kind;
  if (text == "all") return RamSelection{Kind::kAll, {}};
  if (text == "biggest") return RamSelection{Kind::kBiggest, {}};
  if (text == "span") return RamSelection{Kind::kSpan, {}};
  RamSelection selection{Kind::kRanges, {}};
  const auto take_range = [&](std::string_view part) {
    const size_t dash = part.find('-');
    if (dash == std::string_view::npos) return false;
    const std::optional<uint64_t> start = parse_bytes(part.substr(0, dash));
    const std::optional<uint64_t> end = parse_bytes(part.substr(dash + 1));
    if (!start || !end || *start >= *end) return false;
    if (*start % kMinPageBytes != 0 || *end % kMinPageBytes != 0) return false;
    if (!selection.ranges.empty() && *start < selection.ranges.back().end) return false;
    selection.ranges.push_back({*start, *end});
    return true;
  };
  if (!for_each_part(text, take_range)) return std::nullopt;
  return selection;
}

}  // namespace damon_statfs
