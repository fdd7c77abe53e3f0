// SPDX-License-Identifier: GPL-2.0-or-later
//
// Words between blanks. A line that was written half is none at all: the numbers that it lacks
// would be other processes'.
#include "engine/damon/kdamond_ownership.h"

#include <fmt/format.h>

#include "engine/base/text.h"

namespace damon_statfs {
namespace {

constexpr std::string_view kEnding = "ending";

// Takes a word off `line` and the number that it is into `value`. Returns: whether it is one.
template <class Integer>
bool take_into(std::string_view& line, Integer& value) {
  const auto number = parse_number<Integer>(take_word(line));
  if (number) value = *number;
  return number.has_value();
}

}  // namespace

std::string format_ownership(const KdamondOwnership& ownership) {
  std::string line =
      fmt::format("{} {} {:d} {} {} {}", ownership.boot_id, ownership.mark, ownership.marked,
                  ownership.pid, ownership.owner_pid, ownership.owner_pid_namespace);
  for (const pid_t pid : ownership.more_pids) line += fmt::format(" {}", pid);
  if (ownership.ending) line += fmt::format(" {}", kEnding);
  return line;
}

std::optional<KdamondOwnership> parse_ownership(std::string_view line) {
  line = line.substr(0, line.find('\0'));
  KdamondOwnership ownership;
  ownership.boot_id = take_word(line);
  int marked = 0;
  const bool whole = take_into(line, ownership.mark) && take_into(line, marked) &&
                     take_into(line, ownership.pid) && take_into(line, ownership.owner_pid);
  if (!whole) return std::nullopt;
  ownership.marked = marked != 0;
  take_into(line, ownership.owner_pid_namespace);
  std::string_view word = take_word(line);
  for (; const auto pid = parse_number<pid_t>(word); word = take_word(line)) {
    ownership.more_pids.push_back(*pid);
  }
  ownership.ending = word == kEnding;
  return ownership;
}

}  // namespace damon_statfs
