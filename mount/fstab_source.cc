// SPDX-License-Identifier: GPL-2.0-or-later
//
// getmntent(3) knows how fstab writes blanks.
#include "mount/fstab_source.h"

#include <mntent.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string_view>

namespace damon_statfs {
namespace {

struct CloseTable {
  void operator()(std::FILE* table) const { endmntent(table); }
};

std::string_view without_slashes(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path;
}

// What mount.fuse hands on of PROGRAM#SOURCE: the second part, empty if there is none.
std::string_view handed_on(std::string_view source) {
  const size_t hash = source.find('#');
  return hash == std::string_view::npos ? std::string_view() : source.substr(hash + 1);
}

}  // namespace

std::string source_in_fstab(const std::string& source, const std::string& mountpoint,
                            const char* fstab) {
  const std::unique_ptr<std::FILE, CloseTable> table(setmntent(fstab, "re"));
  if (!table) return source;
  std::array<char, 4096> line{};
  mntent entry{};
  while (getmntent_r(table.get(), &entry, line.data(), line.size()) != nullptr) {
    const bool ours = std::string_view(entry.mnt_type) == "fuse" &&
                      without_slashes(entry.mnt_dir) == mountpoint &&
                      handed_on(entry.mnt_fsname) == source;
    if (ours) return entry.mnt_fsname;
  }
  return source;
}

}  // namespace damon_statfs
