// SPDX-License-Identifier: GPL-2.0-or-later
//
// libfuse prints its errors to standard error. While one of these exists they are collected
// instead, so that a failure becomes one line of ours.
#pragma once

#include <string>

namespace damon_statfs {

// One at a time: libfuse's log function has no argument to tell two apart.
class FuseMessages {
 public:
  FuseMessages();
  FuseMessages(const FuseMessages&) = delete;
  FuseMessages& operator=(const FuseMessages&) = delete;
  ~FuseMessages();

  // Returns: what libfuse has said, on one line, or `otherwise` if it said nothing.
  std::string text_or(const char* otherwise) const;
};

}  // namespace damon_statfs
