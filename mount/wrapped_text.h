// SPDX-License-Identifier: GPL-2.0-or-later
//
// Text in lines of a limited width, for tables whose last column holds sentences. Long paths are
// broken, too, so that no line leaves the width.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace damon_statfs {

// text: printable UTF-8, of which each character takes one column. Breaks it at blanks, which are
// dropped there; a word that is wider than a line is broken behind a slash, or, where there is
// none, at the width. Precondition: width_columns > 0. Returns: the lines, at least one.
std::vector<std::string> wrap_text(std::string_view text, size_t width_columns);

}  // namespace damon_statfs
