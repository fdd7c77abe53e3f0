// SPDX-License-Identifier: GPL-2.0-or-later
//
// Kernel files that are arrays of 64-bit words: the page_idle bitmap and /proc/kpageflags. A word
// that cannot be had is an ordinary answer here, as memory comes and goes; a broken file is an
// error.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "damon_statfs/result.h"

namespace damon_statfs {

class WordFile {
 public:
  virtual ~WordFile() = default;

  // The file's name, for messages.
  virtual const std::string& path() const = 0;

  // Returns: word `index`, or none if the kernel did not give a whole word.
  virtual Result<std::optional<uint64_t>> read(uint64_t index) const = 0;

  // Returns: whether the kernel took the word.
  virtual Result<bool> write(uint64_t index, uint64_t word) const = 0;
};

enum class WordAccess { kRead, kReadAndWrite };

// Opens a file of the machine. why_missing: what to say if there is no such file.
// Returns: ENODEV if there is no such file, EACCES if it is not permitted.
Result<std::unique_ptr<WordFile>> open_word_file(const std::string& path, WordAccess access,
                                                 const std::string& why_missing);

}  // namespace damon_statfs
