// SPDX-License-Identifier: GPL-2.0-or-later
//
// A kernel file of 64-bit words in memory. A test says which words are there, and which of them
// cannot be had.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/word_file.h"

namespace damon_statfs::test {

class WordArray final : public WordFile {
 public:
  explicit WordArray(std::vector<uint64_t> content = {}, std::string name = "words")
      : words(std::move(content)), name_(std::move(name)) {}

  const std::string& path() const override { return name_; }

  Result<std::optional<uint64_t>> read(uint64_t index) const override {
    if (errno_value != 0) return failure(errno_value, name_ + ": scripted error");
    if (index >= words.size()) return std::optional<uint64_t>();
    return std::optional<uint64_t>(words[index]);
  }

  Result<bool> write(uint64_t index, uint64_t word) const override {
    if (errno_value != 0) return failure(errno_value, name_ + ": scripted error");
    if (index >= words.size()) return false;
    words[index] = word;
    return true;
  }

  mutable std::vector<uint64_t> words;  // the program under test cannot change the file itself
  int errno_value = 0;                  // not 0: what reads and writes fail with

 private:
  const std::string name_;
};

}  // namespace damon_statfs::test
