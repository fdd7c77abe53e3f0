// SPDX-License-Identifier: GPL-2.0-or-later
//
// A file system whose files are read through the page cache as a disk's are, so that a guest
// without any disk has them. Every name in its directory is a file of zeros.
#define FUSE_USE_VERSION 31
#include <fuse3/fuse.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>

#include "arguments.h"

namespace guest_test {
namespace {

constexpr const char* kUsage = "Usage: cachefs MOUNTPOINT [--bytes SIZE]\n";
constexpr double kForeverS = 1e6;

int64_t file_bytes() { return *static_cast<const int64_t*>(fuse_get_context()->private_data); }

void* init(fuse_conn_info*, fuse_config* config) {
  config->kernel_cache = 1;  // what was read stays cached when a file is opened again
  config->attr_timeout = config->entry_timeout = kForeverS;
  return fuse_get_context()->private_data;
}

int get_attributes(const char* path, struct stat* attributes, fuse_file_info*) {
  const bool is_root = std::strcmp(path, "/") == 0;
  attributes->st_mode = is_root ? S_IFDIR | 0755 : S_IFREG | 0444;
  attributes->st_nlink = 1;
  attributes->st_size = is_root ? 0 : file_bytes();
  return 0;
}

int read_zeros(const char*, char* buffer, size_t size, off_t offset, fuse_file_info*) {
  const auto bytes = std::clamp<int64_t>(file_bytes() - offset, 0, static_cast<int64_t>(size));
  std::memset(buffer, 0, static_cast<size_t>(bytes));
  return static_cast<int>(bytes);
}

// Returns when the mount is there; a process in the background answers.
int serve(int argc, char** argv) {
  if (argc < 2) throw std::invalid_argument("where?");
  const Arguments arguments(argc, argv, 2, {}, {{"--bytes", "32M"}});
  static int64_t bytes = arguments.bytes("--bytes");
  fuse_operations operations{};
  operations.init = init;
  operations.getattr = get_attributes;
  operations.read = read_zeros;
  char single_threaded[] = "-s";
  char* words[] = {argv[0], argv[1], single_threaded};
  return fuse_main(3, words, &operations, &bytes);
}

}  // namespace
}  // namespace guest_test

int main(int argc, char** argv) try {
  return guest_test::serve(argc, argv);
} catch (const std::exception& error) {
  std::fprintf(stderr, "cachefs: %s\n%s", error.what(), guest_test::kUsage);
  return 1;
}
