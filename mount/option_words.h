// SPDX-License-Identifier: GPL-2.0-or-later
//
// The text behind -o, as fstab and mount(8) write it: words between commas.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace damon_statfs {

// Returns: the words. Empty ones are nothing: an empty text, as of OPTIONS= in the service's
// settings, has none. A backslash takes the next character as it is, or three octal digits for one
// (libfuse's rule), and a value that begins with a double quote goes on to the next one, as in
// context="a,b" (mount(8)'s rule; the quotes stay).
std::vector<std::string> split_option_words(std::string_view text);

// Returns: a text that split_option_words() makes these words of.
std::string join_option_words(const std::vector<std::string>& words);

}  // namespace damon_statfs
