// SPDX-License-Identifier: GPL-2.0-or-later
//
// UTF-8 is decoded strictly (RFC 3629): an encoding that is longer than it needs to be would hide
// what it stands for.
#include "mount/printable.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>

namespace damon_statfs {
namespace {

struct CodeRange {
  char32_t first;
  char32_t last;
};

// Control characters, marks of direction, breaks of lines, what has no width, surrogates, and what
// has no meaning of its own (private use, specials, the planes from 14 on).
constexpr CodeRange kUnprintable[] = {
    {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},        {0x61c, 0x61c},   {0x180e, 0x180e},
    {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},    {0xd800, 0xf8ff}, {0xfeff, 0xfeff},
    {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0xe0000, 0x10ffff},
};

bool is_printable(char32_t code) {
  return std::none_of(std::begin(kUnprintable), std::end(kUnprintable),
                      [&](CodeRange range) { return code >= range.first && code <= range.last; });
}

struct Decoded {
  char32_t code;
  size_t bytes;
};

// The least code of an encoding that begins with this byte, and how many bytes it has; 0: no
// encoding begins so.
Decoded least_of(uint8_t lead) {
  if (lead < 0x80) return {0, 1};
  if (lead >= 0xc0 && lead < 0xe0) return {0x80, 2};
  if (lead >= 0xe0 && lead < 0xf0) return {0x800, 3};
  if (lead >= 0xf0 && lead < 0xf8) return {0x10000, 4};
  return {0, 0};
}

// The character that the text begins with. Precondition: the text is not empty.
std::optional<Decoded> decode(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  const Decoded least = least_of(lead);
  if (least.bytes == 0 || least.bytes > text.size()) return std::nullopt;
  char32_t code = least.bytes == 1 ? lead : lead & (0x7fU >> least.bytes);
  for (size_t i = 1; i < least.bytes; ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if ((byte & 0xc0) != 0x80) return std::nullopt;
    code = code << 6 | (byte & 0x3f);
  }
  if (code < least.code || code > 0x10ffff) return std::nullopt;
  return Decoded{code, least.bytes};
}

}  // namespace

std::string printable(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const std::optional<Decoded> next = decode(text);
    const std::string_view bytes = text.substr(0, next ? next->bytes : 1);
    text.remove_prefix(bytes.size());
    if (next && is_printable(next->code)) {
      safe += bytes;
      continue;
    }
    for (const char byte : bytes) safe += fmt::format("\\x{:02x}", static_cast<uint8_t>(byte));
  }
  return safe;
}

}  // namespace damon_statfs
