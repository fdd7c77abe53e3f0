// SPDX-License-Identifier: GPL-2.0-or-later
//
// libfuse's own splitting would take a word that begins with "-" for a flag of the command line.
#include "mount/option_words.h"

#include <algorithm>

namespace damon_statfs {
namespace {

constexpr size_t kOctalDigits = 3;

bool is_octal_code(std::string_view text) {
  const std::string_view digits = text.substr(0, kOctalDigits);
  return digits.size() == kOctalDigits && digits[0] <= '3' &&
         std::all_of(digits.begin(), digits.end(),
                     [](char digit) { return digit >= '0' && digit <= '7'; });
}

// The character that `text`, which stood behind a backslash, begins with; it is taken from there.
char take_escaped(std::string_view& text) {
  if (!is_octal_code(text)) {
    const char character = text.front();
    text.remove_prefix(1);
    return character;
  }
  unsigned code = 0;
  for (const char digit : text.substr(0, kOctalDigits)) {
    code = code * 8 + static_cast<unsigned>(digit - '0');
  }
  text.remove_prefix(kOctalDigits);
  return static_cast<char>(code);
}

// How many characters of `text`, which begins with a quote, are quoted; 0 if no quote ends them.
size_t quoted_size(std::string_view text) {
  const size_t end = text.find('"', 1);
  return end == std::string_view::npos ? 0 : end + 1;
}

}  // namespace

std::vector<std::string> split_option_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  while (!text.empty()) {
    const char character = text.front();
    if (character == '"' && word.ends_with('=')) {
      const size_t size = std::max<size_t>(quoted_size(text), 1);
      word += text.substr(0, size);
      text.remove_prefix(size);
      continue;
    }
    text.remove_prefix(1);
    if (character == ',') {
      end_word();
    } else if (character == '\\' && !text.empty()) {
      word += take_escaped(text);
    } else {
      word += character;
    }
  }
  end_word();
  return words;
}

std::string join_option_words(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ',';
    for (const char character : word) {
      if (character == ',' || character == '\\' || character == '"') text += '\\';
      text += character;
    }
  }
  return text;
}

}  // namespace damon_statfs
