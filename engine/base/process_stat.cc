// SPDX-License-Identifier: GPL-2.0-or-later
//
// "pid (comm) state ppid pgrp session tty_nr tpgid flags": no field behind the name has a
// parenthesis, so that the last one of the line ends the name.
#include "engine/base/process_stat.h"

#include "engine/base/text.h"

namespace damon_statfs {

bool ProcessStat::is_kernel_thread() const {
  constexpr unsigned long kKernelThreadFlag = 0x00200000;  // PF_KTHREAD
  return (flags & kKernelThreadFlag) != 0;
}

std::optional<ProcessStat> parse_process_stat(std::string_view line) {
  const size_t open = line.find('(');
  const size_t close = line.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return std::nullopt;
  }
  ProcessStat stat;
  stat.name = line.substr(open + 1, close - open - 1);
  line.remove_prefix(close + 1);
  const std::string_view state = take_word(line);
  if (state.size() != 1) return std::nullopt;
  stat.state = state.front();
  constexpr int kBetween = 5;  // ppid, pgrp, session, tty_nr, tpgid
  for (int field = 0; field < kBetween; ++field) {
    if (!parse_number<long>(take_word(line))) return std::nullopt;
  }
  const auto flags = parse_number<unsigned long>(take_word(line));
  if (!flags) return std::nullopt;
  stat.flags = *flags;
  return stat;
}

}  // namespace damon_statfs
