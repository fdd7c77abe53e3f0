// SPDX-License-Identifier: GPL-2.0-or-later
//
// The bytes come from a kernel of unknown version: a field that moved must be found,
// and one that is missing must not be guessed.
#include "engine/damon/event_format.h"

#include <cstring>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/event_formats.h"

namespace damon_statfs::test {
namespace {

using Raw = std::vector<std::byte>;

template <class T>
void put(Raw& raw, uint32_t offset, T value) {
  std::memcpy(raw.data() + offset, &value, sizeof value);
}

Raw raw_record() {
  Raw raw(48);
  put<uint64_t>(raw, 8, 3);
  put<uint32_t>(raw, 16, 11);
  put<uint64_t>(raw, 24, uint64_t{5} << 40);
  put<uint64_t>(raw, 32, uint64_t{6} << 40);
  put<uint32_t>(raw, 40, 20);
  put<uint32_t>(raw, 44, 4'000'000'000);
  return raw;
}

std::string replaced(const std::string& from, const std::string& to) {
  std::string text = kAggregatedFormat;
  return text.replace(text.find(from), from.size(), to);
}

TEST_CASE("a record is read as its format says", "[event_format]") {
  const RegionEventFormat format = RegionEventFormat::parse(kAggregatedFormat).value();
  CHECK(format.min_bytes() == 48);
  const auto record = format.decode(raw_record());
  REQUIRE(record);
  CHECK(record->target_id == 3);
  CHECK(record->nr_regions == 11);
  CHECK(record->start == uint64_t{5} << 40);
  CHECK(record->end == uint64_t{6} << 40);
  CHECK(record->nr_accesses == 20);
  CHECK(record->age == 4'000'000'000);
}

TEST_CASE("fields of other sizes at other places", "[event_format]") {
  const auto format = RegionEventFormat::parse(
      "\tfield:u32 start;\toffset:4;\tsize:4;\n"
      "\tfield:u32 end;\toffset:8;\tsize:4;\n"
      "\tfield:u64 age;\toffset:16;\tsize:8;\n"
      "\tfield:unsigned long nr_regions;\toffset:24;\tsize:8;\tsigned:0;\n"
      "\tfield:int nr_accesses;\toffset:12;\tsize:4;\tsigned:1;\n"
      "\tfield:int target_id;\toffset:0;\tsize:4;");
  REQUIRE(format);
  Raw raw(32);
  put<uint32_t>(raw, 0, 200);
  put<uint32_t>(raw, 4, 4096);
  put<uint32_t>(raw, 8, 3'000'000'000);
  put<int32_t>(raw, 12, 7);
  put<uint64_t>(raw, 16, 9);
  put<uint64_t>(raw, 24, 300);
  const auto record = format->decode(raw);
  REQUIRE(record);
  CHECK(record->target_id == 200);
  CHECK(record->nr_regions == 300);
  CHECK(record->end == 3'000'000'000);
  CHECK(record->nr_accesses == 7);
  CHECK(record->age == 9);
}

TEST_CASE("formats that lack a field, or describe it in no way we know", "[event_format]") {
  const std::string texts[] = {"",
                               "field:",
                               "\n\n\n",
                               replaced(" age;", " elder;"),
                               replaced(" age;", " damage;"),
                               replaced("offset:44;\tsize:4;", "offset:44;\tsize:3;"),
                               replaced("offset:44;\tsize:4;", "offset:44;\tsize:16;"),
                               replaced("offset:44;\tsize:4;", "offset:-4;\tsize:4;"),
                               replaced("offset:44;\tsize:4;", "offset:4294967290;\tsize:4;"),
                               replaced("offset:44;\tsize:4;", "offset:44;\tsize:;"),
                               replaced("offset:44;\tsize:4;", "offset:44")};
  for (const std::string& text : texts) {
    CAPTURE(text);
    CHECK_FALSE(RegionEventFormat::parse(text));
  }
}

TEST_CASE("records that no kernel writes", "[event_format]") {
  const RegionEventFormat format = RegionEventFormat::parse(kAggregatedFormat).value();
  Raw raw = raw_record();
  CHECK_FALSE(format.decode(std::span(raw).first(47)));
  CHECK_FALSE(format.decode({}));
  put<uint64_t>(raw, 24, uint64_t{6} << 40);  // empty region
  CHECK_FALSE(format.decode(raw));
  raw = raw_record();
  put<uint32_t>(raw, 16, 0);  // a region of a target without regions
  CHECK_FALSE(format.decode(raw));
  raw = raw_record();
  raw.resize(56);  // perf pads to eight bytes
  CHECK(format.decode(raw));
}

}  // namespace
}  // namespace damon_statfs::test
