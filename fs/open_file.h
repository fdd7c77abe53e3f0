// SPDX-License-Identifier: GPL-2.0-or-later
//
// One open of a parameter file. It holds the text of one moment, so that a reader who goes on
// reading gets the rest of what it began with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "damon_statfs/snapshot.h"
#include "fs/params.h"

namespace damon_statfs {

class OpenFile {
 public:
  OpenFile(const Param& param, Abi abi) : param_(param), abi_(abi) {}

  // The bytes for a read of `size` at `offset`, valid until the next read. The kernel's rule
  // (seq_file): a read that goes on where the last one ended stays in its text, any other one, and
  // any at offset 0, takes the newest.
  std::string_view read(uint64_t size, uint64_t offset, const Snapshot& newest) {
    if (!was_read_ || offset == 0 || offset != next_offset_) text_ = param_.show(newest, abi_);
    was_read_ = true;
    const std::string_view rest =
        std::string_view(text_).substr(offset < text_.size() ? offset : text_.size());
    const std::string_view part = rest.substr(0, size);
    next_offset_ = offset + part.size();
    return part;
  }

  bool was_read() const { return was_read_; }
  const Param& param() const { return param_; }

 private:
  const Param& param_;
  const Abi abi_;
  std::string text_;
  uint64_t next_offset_ = 0;  // where the last read ended
  bool was_read_ = false;
};

}  // namespace damon_statfs
