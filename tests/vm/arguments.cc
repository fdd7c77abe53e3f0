// SPDX-License-Identifier: GPL-2.0-or-later
//
// Parsing for the guest programs' command lines. Kept apart because workload and checker share it.
// Junk is refused: a test that silently ran with another size would prove nothing.
#include "arguments.h"

#include <stdexcept>
#include <utility>

namespace guest_test {

Arguments::Arguments(int argc, char** argv, int first, const std::set<std::string>& flags,
                     std::map<std::string, std::string> defaults)
    : values_(std::move(defaults)) {
  for (int i = first; i < argc; ++i) {
    const std::string word = argv[i];
    if (flags.count(word) != 0) {
      given_.insert(word);
    } else if (values_.count(word) != 0 && i + 1 < argc) {
      values_[word] = argv[++i];
    } else {
      throw std::invalid_argument("unknown option, or one without its value: " + word);
    }
  }
}

double Arguments::number(const std::string& name) const {
  const std::string& value = text(name);
  size_t used = 0;
  const double number = value.empty() ? 0 : std::stod(value, &used);
  if (value.empty() || used != value.size() || number < 0) {
    throw std::invalid_argument(name + " wants a number, not '" + value + "'");
  }
  return number;
}

int64_t Arguments::bytes(const std::string& name) const {
  const std::string& value = text(name);
  size_t used = 0;
  const int64_t number = value.empty() ? -1 : std::stoll(value, &used);
  const std::string unit = value.substr(used);
  const int shift = unit == "K" ? 10 : unit == "M" ? 20 : unit == "G" ? 30 : unit.empty() ? 0 : -1;
  if (number < 0 || shift < 0) {
    throw std::invalid_argument(name + " wants a size such as 512M, not '" + value + "'");
  }
  return number << shift;
}

}  // namespace guest_test
