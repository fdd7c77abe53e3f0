// SPDX-License-Identifier: GPL-2.0-or-later
//
// A line takes words as long as they fit; the one that does not begins the next line.
#include "mount/wrapped_text.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace damon_statfs {
namespace {

// Whether a character begins with this byte, which else continues one (UTF-8).
bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }

size_t columns(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

// How many bytes so many characters at the beginning of the text have.
size_t bytes_of(std::string_view text, size_t nr_characters) {
  size_t bytes = 0;
  for (; bytes < text.size(); ++bytes) {
    if (begins_character(text[bytes]) && nr_characters-- == 0) break;
  }
  return bytes;
}

// How many bytes of the word, which is wider than a line, stand in one.
size_t broken_at(std::string_view word, size_t width_columns) {
  const size_t fitting = bytes_of(word, width_columns);
  const size_t slash = word.substr(0, fitting).rfind('/');
  return slash == std::string_view::npos || slash == 0 ? fitting : slash + 1;
}

// Takes what is before the next blank, and the blank, off the text.
std::string_view next_word(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(word.size() + 1, text.size()));
  return word;
}

}  // namespace

std::vector<std::string> wrap_text(std::string_view text, size_t width_columns) {
  assert(width_columns > 0);
  std::vector<std::string> lines = {std::string(next_word(text))};
  const auto break_last = [&] {
    while (columns(lines.back()) > width_columns) {
      const size_t bytes = broken_at(lines.back(), width_columns);
      std::string rest = lines.back().substr(bytes);
      lines.back().resize(bytes);
      lines.push_back(std::move(rest));
    }
  };
  break_last();
  while (!text.empty()) {
    const std::string_view word = next_word(text);
    if (columns(lines.back()) + 1 + columns(word) <= width_columns) {
      lines.back().append(1, ' ').append(word);
      continue;
    }
    lines.emplace_back(word);
    break_last();
  }
  return lines;
}

}  // namespace damon_statfs
