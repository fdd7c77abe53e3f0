// SPDX-License-Identifier: GPL-2.0-or-later
//
// The directory of each ABI, and sysfs's rules for extended attributes.
#include "fs/tree.h"

#include <sys/xattr.h>

#include <cerrno>

#include "support/catch.h"

namespace damon_statfs {
namespace {

std::vector<std::string> names(const Tree& tree) {
  std::vector<std::string> all;
  for (const Node& node : tree.files()) all.emplace_back(node.param->name);
  return all;
}

TEST_CASE("the files of each ABI, in the kernel's order", "[tree]") {
  using Names = std::vector<std::string>;
  CHECK(names(Tree(Abi::k6_17)) ==
        Names{"memory_idle_ms_percentiles", "enabled", "estimated_memory_bandwidth"});
  CHECK(names(Tree(Abi::k6_18)) == Names{"memory_idle_ms_percentiles", "enabled",
                                         "estimated_memory_bandwidth", "aggr_interval_us"});
  CHECK(names(Tree(Abi::k7_2)) == Names{"memory_idle_ms_percentiles", "enabled",
                                        "estimated_memory_bandwidth", "kdamond_pid",
                                        "aggr_interval_us"});
}

TEST_CASE("attributes", "[tree]") {
  Tree tree(Abi::k7_2);
  const struct stat& directory = tree.node(1).attributes;
  CHECK(directory.st_mode == (S_IFDIR | 0755));
  CHECK(directory.st_nlink == 2);
  CHECK(directory.st_size == 0);
  uint64_t inode = 2;
  for (const Node& file : tree.files()) {
    const struct stat& attributes = file.attributes;
    CAPTURE(file.param->name);
    const bool is_enabled = std::string_view(file.param->name) == "enabled";
    CHECK(attributes.st_mode == (S_IFREG | (is_enabled ? 0600U : 0400U)));
    CHECK(attributes.st_nlink == 1);
    CHECK(attributes.st_size == 4096);
    CHECK(attributes.st_blocks == 0);
    CHECK(attributes.st_blksize == 4096);
    CHECK(attributes.st_uid == 0);
    CHECK(attributes.st_gid == 0);
    CHECK(attributes.st_ino == inode);
    CHECK(&tree.node(inode) == &file);
    CHECK(attributes.st_atim.tv_sec == attributes.st_ctim.tv_sec);
    CHECK(attributes.st_mtim.tv_nsec == attributes.st_ctim.tv_nsec);
    ++inode;
  }
}

TEST_CASE("files are found by their whole name", "[tree]") {
  const Tree tree(Abi::k6_17);
  REQUIRE(tree.find("enabled") != nullptr);
  CHECK(std::string_view(tree.find("enabled")->param->name) == "enabled");
  for (const char* const name : {"", ".", "enable", "enabledd", "ENABLED", "kdamond_pid"}) {
    CAPTURE(name);
    CHECK(tree.find(name) == nullptr);
  }
}

TEST_CASE("namespaces of extended attributes", "[tree]") {
  for (const char* const name : {"user.x", "security.selinux", "trusted.x"}) {
    CHECK(check_xattr_name(name) == 0);
  }
  for (const char* const name : {"system.posix_acl_access", "system.posix_acl_default", "x", ""}) {
    CHECK(check_xattr_name(name) == EOPNOTSUPP);
  }
}

TEST_CASE("setting and removing extended attributes", "[tree]") {
  Node node;
  CHECK(set_xattr(node, "user.x", "1", 0) == EOPNOTSUPP);
  CHECK(set_xattr(node, "system.posix_acl_access", "1", 0) == EOPNOTSUPP);
  CHECK(node.xattrs.empty());

  CHECK(set_xattr(node, "trusted.x", "1", XATTR_REPLACE) == ENODATA);
  CHECK(set_xattr(node, "trusted.x", "1", XATTR_CREATE) == 0);
  CHECK(set_xattr(node, "trusted.x", "2", XATTR_CREATE) == EEXIST);
  CHECK(node.xattrs["trusted.x"] == "1");
  CHECK(set_xattr(node, "trusted.x", "3", XATTR_REPLACE) == 0);
  CHECK(node.xattrs["trusted.x"] == "3");
  CHECK(set_xattr(node, "security.y", std::string("a\0b", 3), 0) == 0);
  CHECK(node.xattrs["security.y"].size() == 3);

  CHECK(remove_xattr(node, "trusted.none") == ENODATA);
  CHECK(remove_xattr(node, "user.x") == EOPNOTSUPP);
  CHECK(remove_xattr(node, "trusted.x") == 0);
  CHECK(remove_xattr(node, "trusted.x") == ENODATA);
}

TEST_CASE("listing extended attributes", "[tree]") {
  Node node;
  CHECK(list_xattrs(node, true).empty());
  CHECK(set_xattr(node, "trusted.x", "1", 0) == 0);
  CHECK(set_xattr(node, "security.y", "2", 0) == 0);
  CHECK(list_xattrs(node, true) == std::string("security.y\0trusted.x\0", 21));
  CHECK(list_xattrs(node, false) == std::string("security.y\0", 11));
}

}  // namespace
}  // namespace damon_statfs
