// SPDX-License-Identifier: GPL-2.0-or-later
//
// The lines that tests/vm/run collects from a guest's console: "PASS NAME: ..." and "FAIL NAME:
// ...". Every one shows what was measured beside what is allowed.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace guest_test {

class Report {
 public:
  // With `only_print` nothing is judged: the lines start with INFO.
  Report(std::string scenario, bool only_print)
      : scenario_(std::move(scenario)), only_print_(only_print) {}

  // Prints one line. Parameters: whether the check holds, and what was compared with what.
  void check(bool holds, const std::string& text);

  // Prints one line that is not judged.
  void note(const std::string& text) const { print("INFO", text); }

  // Returns: 0 when every check held, else 1.
  int exit_status() const { return failures_ == 0 ? 0 : 1; }

 private:
  void print(const char* verdict, const std::string& text) const;

  std::string scenario_;
  bool only_print_;
  int failures_ = 0;
};

// printf into a string.
[[gnu::format(printf, 1, 2)]] std::string text_of(const char* format, ...);

double median(std::vector<double> values);
double largest(const std::vector<double>& values);

}  // namespace guest_test
