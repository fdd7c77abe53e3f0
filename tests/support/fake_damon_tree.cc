// SPDX-License-Identifier: GPL-2.0-or-later
//
// Contents as in the kernels' mm/damon/sysfs.c and sysfs-schemes.c: what is not listed here is of
// no use to a monitoring program.
#include "support/fake_damon_tree.h"

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <utility>

namespace damon_statfs::test {
namespace {

bool is_number(std::string_view name) {
  return !name.empty() && name.find_first_not_of("0123456789") == std::string_view::npos;
}

// The first name below `dir` in a path that is_within() it.
std::string_view name_below(std::string_view path, std::string_view dir) {
  const size_t begin = dir.size() + 1;
  return path.substr(begin, path.find('/', begin) - begin);
}

std::string_view last_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// Files of one directory by name and content.
void put(Files& files, const std::string& dir,
         std::initializer_list<std::pair<const char*, std::string>> contents) {
  for (const auto& [name, text] : contents) files.insert_or_assign(dir + "/" + name, text);
}

}  // namespace

bool is_within(std::string_view path, std::string_view dir) {
  return path.starts_with(dir) && (path.size() == dir.size() || path[dir.size()] == '/');
}

void remove_numbered(Files& files, const std::string& dir) {
  const std::string below = dir + "/";
  for (auto file = files.lower_bound(below);
       file != files.end() && file->first.starts_with(below);) {
    file = is_number(name_below(file->first, dir)) ? files.erase(file) : std::next(file);
  }
}

std::vector<std::string> names_in(const Files& files, const std::string& dir) {
  const std::string below = dir + "/";
  std::vector<std::string> names;
  for (auto file = files.lower_bound(below); file != files.end() && file->first.starts_with(below);
       ++file) {
    const std::string_view name = name_below(file->first, dir);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
  }
  return names;
}

bool is_read_only(std::string_view path) {
  const std::string_view name = last_name(path);
  return name == "pid" || name == "avail_operations" ||
         path.find("/tried_regions/") != std::string_view::npos ||
         path.find("/stats/") != std::string_view::npos;
}

void make_kdamond(Files& files, const std::string& dir, Kernel kernel) {
  put(files, dir, {{"state", ""}, {"pid", ""}});  // both are made when they are read
  put(files, dir + "/contexts", {{"nr_contexts", "0"}});
  if (kernel >= Kernel::k6_17) put(files, dir, {{"refresh_ms", "0"}});
}

void make_context(Files& files, const std::string& dir, Kernel kernel) {
  put(files, dir, {{"avail_operations", "vaddr\nfvaddr\npaddr"}, {"operations", "vaddr"}});
  put(files, dir + "/targets", {{"nr_targets", "0"}});
  put(files, dir + "/schemes", {{"nr_schemes", "0"}});
  const std::string attrs = dir + "/monitoring_attrs";
  put(files, attrs + "/intervals",
      {{"sample_us", "5000"}, {"aggr_us", "100000"}, {"update_us", "60000000"}});
  put(files, attrs + "/nr_regions", {{"min", "10"}, {"max", "1000"}});
  if (kernel >= Kernel::k6_15) {
    put(files, attrs + "/intervals/intervals_goal",
        {{"access_bp", "0"}, {"aggrs", "0"}, {"min_sample_us", "0"}, {"max_sample_us", "0"}});
  }
  if (kernel < Kernel::k7_2) return;
  put(files, dir, {{"addr_unit", "1"}, {"pause", "N"}});
  put(files, attrs + "/probes", {{"nr_probes", "0"}});
}

void make_target(Files& files, const std::string& dir, Kernel kernel) {
  put(files, dir, {{"pid_target", "0"}});
  put(files, dir + "/regions", {{"nr_regions", "0"}});
  if (kernel >= Kernel::k7_2) put(files, dir, {{"obsolete_target", "N"}});
}

void make_range(Files& files, const std::string& dir) {
  put(files, dir, {{"start", "0"}, {"end", "0"}});
}

void make_scheme(Files& files, const std::string& dir, Kernel kernel) {
  put(files, dir, {{"action", "stat"}});
  for (const char* const range : {"/sz", "/nr_accesses", "/age"}) {
    put(files, dir + "/access_pattern" + range, {{"min", "0"}, {"max", "0"}});
  }
  put(files, dir + "/quotas", {{"ms", "0"}, {"bytes", "0"}, {"reset_interval_ms", "0"}});
  put(files, dir + "/watermarks",
      {{"metric", "none"}, {"interval_us", "0"}, {"high", "0"}, {"mid", "0"}, {"low", "0"}});
  put(files, dir + "/stats",
      {{"nr_tried", "0"}, {"sz_tried", "0"}, {"nr_applied", "0"}, {"sz_applied", "0"}});
  if (kernel < Kernel::k6_7) return;
  put(files, dir, {{"apply_interval_us", "0"}});
  put(files, dir + "/filters", {{"nr_filters", "0"}});
  put(files, dir + "/tried_regions", {{"total_bytes", "0"}});
  if (kernel >= Kernel::k6_12) put(files, dir, {{"target_nid", "-1"}});
}

void make_filter(Files& files, const std::string& dir) {
  put(files, dir, {{"type", "anon"}, {"matching", "N"}});
}

void make_tried_region(Files& files, const std::string& dir, const Region& region, Kernel kernel) {
  put(files, dir,
      {{"start", std::to_string(region.start)},
       {"end", std::to_string(region.end)},
       {"nr_accesses", std::to_string(region.nr_accesses)},
       {"age", std::to_string(region.age)}});
  if (kernel >= Kernel::k6_15) put(files, dir, {{"sz_filter_passed", "0"}});
}

}  // namespace damon_statfs::test
