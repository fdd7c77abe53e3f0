// SPDX-License-Identifier: GPL-2.0-or-later
//
// The command lines of the guest programs: "--name value" pairs and "--name" flags, sizes with K, M
// or G. It exists so that each program states its options in one place and refuses all others.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace guest_test {

class Arguments {
 public:
  // Parses argv from index `first`. Throws std::invalid_argument naming the word it does not know.
  Arguments(int argc, char** argv, int first, const std::set<std::string>& flags,
            std::map<std::string, std::string> defaults);

  bool has(const std::string& flag) const { return given_.count(flag) != 0; }
  const std::string& text(const std::string& name) const { return values_.at(name); }
  double number(const std::string& name) const;
  int64_t bytes(const std::string& name) const;

 private:
  std::set<std::string> given_;
  std::map<std::string, std::string> values_;
};

}  // namespace guest_test
