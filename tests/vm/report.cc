// SPDX-License-Identifier: GPL-2.0-or-later
//
// Printing and counting of results, and the two statistics that the checks use. Separate so that
// the checks hold nothing but their rule.
#include "report.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

namespace guest_test {

void Report::check(bool holds, const std::string& text) {
  if (!holds && !only_print_) ++failures_;
  print(only_print_ ? "INFO" : holds ? "PASS" : "FAIL", text);
}

void Report::print(const char* verdict, const std::string& text) const {
  std::printf("%s %s: %s\n", verdict, scenario_.c_str(), text.c_str());
  std::fflush(stdout);
}

std::string text_of(const char* format, ...) {
  char buffer[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(buffer, sizeof buffer, format, arguments);
  va_end(arguments);
  return buffer;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 != 0 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double largest(const std::vector<double>& values) {
  return values.empty() ? 0 : *std::max_element(values.begin(), values.end());
}

}  // namespace guest_test
