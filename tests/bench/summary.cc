// SPDX-License-Identifier: GPL-2.0-or-later
//
// The arithmetic and the Markdown of all benchmarks, so that their tables look alike in
// tests/bench/README.md.
#include "summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace damon_statfs::bench {

double quantile(std::vector<double> values, double share) {
  const auto rank = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  const auto wanted = values.begin() + rank;
  std::nth_element(values.begin(), wanted, values.end());
  return *wanted;
}

std::string summary(const std::vector<double>& values, int digits) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return fmt::format("{:.{}f} ({:.{}f}..{:.{}f})", quantile(values, 0.5), digits, *least, digits,
                     *most, digits);
}

void print_row(const std::vector<std::string>& cells) {
  for (const std::string& cell : cells) fmt::print("| {} ", cell);
  fmt::print("|\n");
  std::fflush(stdout);
}

void print_head(const std::vector<std::string>& cells) {
  print_row(cells);
  print_row(std::vector<std::string>(cells.size(), "---"));
}

}  // namespace damon_statfs::bench
