// SPDX-License-Identifier: GPL-2.0-or-later
//
// The failure side of a Result after a system call has failed. errno is read once, before anything
// else is called: formatting may allocate, and so change it.
#pragma once

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "damon_statfs/result.h"

namespace damon_statfs {

// Returns: errno's failure, "WHAT: STRERROR". what and args: as for fmt::format(). Arguments are
// evaluated before errno is read, so none of them may be a call that changes it.
template <class... Args>
auto errno_failure(fmt::format_string<Args...> what, Args&&... args) {
  const int errno_value = errno;
  std::string context = fmt::format(what, std::forward<Args>(args)...);
  context += ": ";
  context += std::strerror(errno_value);
  return failure(errno_value, std::move(context));
}

}  // namespace damon_statfs
