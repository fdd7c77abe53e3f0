// SPDX-License-Identifier: GPL-2.0-or-later
//
// A writer of `enabled`: it keeps what it is answered, and how often, as each write is to be
// answered once.
#pragma once

#include "fs/enabled_file.h"

namespace damon_statfs::test {

// The answer to one write.
struct Answer {
  int count = 0;
  int errno_value = -1;

  EnabledFile::Reply reply() {
    return [this](int value) {
      ++count;
      errno_value = value;
    };
  }
  bool is(int value) const { return count == 1 && errno_value == value; }
};

}  // namespace damon_statfs::test
