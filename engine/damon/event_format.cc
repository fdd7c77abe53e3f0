// SPDX-License-Identifier: GPL-2.0-or-later
//
// One line of a format file is "field:TYPE NAME;\toffset:N;\tsize:N;\tsigned:N;". Offsets and sizes
// are looked up once, decoding is a few copies.
#include "engine/damon/event_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "engine/base/text.h"

namespace damon_statfs {
namespace {

// The number after `name` and a colon in `line`.
std::optional<size_t> number_after(std::string_view line, std::string_view name) {
  const size_t at = line.find(fmt::format("{}:", name));
  if (at == std::string_view::npos) return std::nullopt;
  line.remove_prefix(at + name.size() + 1);
  return take_number<size_t>(line);
}

}  // namespace

std::optional<RegionEventFormat> RegionEventFormat::parse(std::string_view format_file) {
  RegionEventFormat format;
  const auto set = [&](Field& field, std::string_view name) {
    const std::optional<Field> found = find(format_file, name);
    if (!found) return false;
    field = *found;
    format.min_bytes_ = std::max(format.min_bytes_, field.offset + field.size);
    return true;
  };
  const bool complete = set(format.target_id_, "target_id") &&
                        set(format.nr_regions_, "nr_regions") && set(format.start_, "start") &&
                        set(format.end_, "end") && set(format.nr_accesses_, "nr_accesses") &&
                        set(format.age_, "age");
  return complete ? std::optional(format) : std::nullopt;
}

std::optional<RegionRecord> RegionEventFormat::decode(std::span<const std::byte> raw) const {
  if (raw.size() < min_bytes_) return std::nullopt;
  RegionRecord record;
  record.target_id = get(raw, target_id_);
  record.nr_regions = static_cast<uint32_t>(get(raw, nr_regions_));
  record.start = get(raw, start_);
  record.end = get(raw, end_);
  record.nr_accesses = static_cast<uint32_t>(get(raw, nr_accesses_));
  record.age = static_cast<uint32_t>(get(raw, age_));
  if (record.start >= record.end || record.nr_regions == 0) return std::nullopt;
  return record;
}

std::optional<RegionEventFormat::Field> RegionEventFormat::find(std::string_view format_file,
                                                                std::string_view name) {
  constexpr size_t kMaxOffset = 4096;
  const std::string end_of_declaration = fmt::format(" {};", name);
  while (!format_file.empty()) {
    const std::string_view line = format_file.substr(0, format_file.find('\n'));
    format_file.remove_prefix(std::min(line.size() + 1, format_file.size()));
    if (line.find("field:") == std::string_view::npos) continue;
    if (line.find(end_of_declaration) == std::string_view::npos) continue;
    const std::optional<size_t> offset = number_after(line, "offset");
    const std::optional<size_t> size = number_after(line, "size");
    if (!offset || !size || *offset > kMaxOffset || (*size != 4 && *size != 8)) break;
    return Field{*offset, *size};
  }
  return std::nullopt;
}

uint64_t RegionEventFormat::get(std::span<const std::byte> raw, const Field& field) {
  if (field.size == sizeof(uint32_t)) {
    uint32_t number = 0;
    std::memcpy(&number, raw.data() + field.offset, sizeof number);
    return number;
  }
  uint64_t number = 0;
  std::memcpy(&number, raw.data() + field.offset, sizeof number);
  return number;
}

}  // namespace damon_statfs
