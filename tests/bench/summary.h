// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the benchmarks say about repeated measurements: the median, and the range they fell into. On
// a machine that does other work the range is as much of the result as the median.
#pragma once

#include <string>
#include <vector>

namespace damon_statfs::bench {

// Returns: the value that a `share` (0 to 1) of them does not exceed. Precondition: not empty.
double quantile(std::vector<double> values, double share);

// Returns: "median (min..max)" with so many digits after the point.
std::string summary(const std::vector<double>& values, int digits);

// Prints one row of a Markdown table.
void print_row(const std::vector<std::string>& cells);

// Prints the first two lines of a Markdown table.
void print_head(const std::vector<std::string>& cells);

}  // namespace damon_statfs::bench
