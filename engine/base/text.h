// SPDX-License-Identifier: GPL-2.0-or-later
//
// Words, lines and numbers in the text files of the kernel. A text with anything else in it, be it
// a blank, is no number, so that a file with another meaning is not taken for a value.
#pragma once

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace damon_statfs {

// Takes a number of that base off the front of `text`. Returns: that number; none if there is none,
// or it is too large for the type, and `text` is as it was. A sign is taken if the type has one and
// it is a minus.
template <class Integer>
std::optional<Integer> take_number(std::string_view& text, int base = 10) {
  Integer number{};
  const char* const end = text.data() + text.size();
  const auto [rest, invalid] = std::from_chars(text.data(), end, number, base);
  if (invalid != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(rest - text.data()));
  return number;
}

// Returns: the number of that base that all of `text` is; none if it is something else or too large
// for the type. A sign as for take_number().
template <class Integer>
std::optional<Integer> parse_number(std::string_view text, int base = 10) {
  const std::optional<Integer> number = take_number<Integer>(text, base);
  return text.empty() ? number : std::nullopt;
}

// Takes the first word off `text`, and the blanks and line ends before it. Returns: that word,
// empty if there is none.
inline std::string_view take_word(std::string_view& text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(kBlanks));
  text.remove_prefix(word.size());
  return word;
}

// Takes the first line off `text`. Returns: that line, without its end.
inline std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

}  // namespace damon_statfs
