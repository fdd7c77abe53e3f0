// SPDX-License-Identifier: GPL-2.0-or-later
//
// The two shapes of memory that operations sets and the engine exchange: a range of physical
// addresses, and a DAMON region, which is a range whose pages are taken to be accessed alike.
#pragma once

#include <cstdint>

namespace damon_statfs {

// [start, end) in bytes of physical address.
struct AddressRange {
  uint64_t start = 0;
  uint64_t end = 0;

  uint64_t size_bytes() const { return end - start; }
  bool operator==(const AddressRange&) const = default;
};

// A region, [start, end) in bytes, as in the kernel's struct damon_region. The points in time are
// ours: ages in aggregations lose time whenever intervals change or sampling runs late, and an
// aggregation of seconds does not say when in it an access was.
struct Region {
  uint64_t start = 0;
  uint64_t end = 0;
  uint64_t sampling_addr = 0;     // the address whose page is checked in this sampling interval
  int64_t since_ns = 0;           // Clock::now_ns() when the present access pattern began
  int64_t accessed_ns = 0;        // ... of the last check that found it accessed; 0: not known
  uint32_t nr_accesses = 0;       // checks in this aggregation that found the page accessed
  uint32_t last_nr_accesses = 0;  // the same of the aggregation before
  uint32_t age = 0;               // aggregations since nr_accesses last changed notably

  uint64_t size_bytes() const { return end - start; }

  // A check at now_ns has found its page accessed.
  void add_access(int64_t now_ns) {
    ++nr_accesses;
    accessed_ns = now_ns;
  }
};

}  // namespace damon_statfs
