// SPDX-License-Identifier: GPL-2.0-or-later
//
// Kernel files that are arrays of 64-bit words: the page_idle bitmap and /proc/kpageflags. A word
// that cannot be had is an ordinary answer here, as memory comes and goes; a broken file is an
// error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "damon_statfs/fd.h"
#include "damon_statfs/result.h"

namespace damon_statfs {

class WordFile {
 public:
  WordFile() = default;

  // flags: O_RDONLY or O_RDWR. purpose: what is missing if the file does not exist, for the error.
  // Returns: ENODEV if there is no such file, EACCES if it is not permitted.
  static Result<WordFile> open(const std::string& path, int flags, const std::string& purpose);

  const std::string& path() const { return path_; }

  // Returns: word `index`, or none if the kernel did not give a whole word.
  Result<std::optional<uint64_t>> read(uint64_t index) const;

  // Returns: whether the kernel took the word.
  Result<bool> write(uint64_t index, uint64_t word) const;

 private:
  // Turns what pread() or pwrite() returned into: a whole word, none, or an error.
  Result<bool> whole_word(ssize_t bytes, const char* call) const;

  UniqueFd fd_;
  std::string path_;
};

}  // namespace damon_statfs
