// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a record of damon:damon_aggregated looks like, from the format file that tracefs has for it:
// kernels differ in where the fields are. Kernel documentation: Documentation/trace/events.rst.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "engine/damon/region_record.h"

namespace damon_statfs {

class RegionEventFormat {
 public:
  // Returns: none if a field of RegionRecord is missing, or is not an integer of 4 or 8 bytes.
  static std::optional<RegionEventFormat> parse(std::string_view format_file);

  // The record in the raw data of an event; its time is not among that. Returns: none if the data
  // is too short, or says what no kernel says: an empty region, a target without regions.
  std::optional<RegionRecord> decode(std::span<const std::byte> raw) const;

  // The size of the raw data that decode() needs.
  size_t min_bytes() const { return min_bytes_; }

 private:
  struct Field {
    size_t offset = 0;
    size_t size = 0;
  };

  static std::optional<Field> find(std::string_view format_file, std::string_view name);
  static uint64_t get(std::span<const std::byte> raw, const Field& field);

  Field target_id_, nr_regions_, start_, end_, nr_accesses_, age_;
  size_t min_bytes_ = 0;
};

}  // namespace damon_statfs
