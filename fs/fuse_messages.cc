// SPDX-License-Identifier: GPL-2.0-or-later
//
// The one static of the program: fuse_set_log_func() takes a function and nothing else.
#include "fs/fuse_messages.h"

#include <fuse_log.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>

namespace damon_statfs {
namespace {

std::string& collected() {
  static std::string text;
  return text;
}

void collect(fuse_log_level, const char* format, va_list arguments) noexcept {
  std::array<char, 256> line{};
  vsnprintf(line.data(), line.size(), format, arguments);
  std::string& text = collected();
  text += line.data();
  std::replace(text.begin(), text.end(), '\n', ' ');
}

}  // namespace

FuseMessages::FuseMessages() {
  collected().clear();
  fuse_set_log_func(collect);
}

FuseMessages::~FuseMessages() { fuse_set_log_func(nullptr); }

std::string FuseMessages::text_or(const char* otherwise) const {
  std::string text = collected();
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text.empty() ? otherwise : text;
}

}  // namespace damon_statfs
