// SPDX-License-Identifier: GPL-2.0-or-later
//
// The directory and its files as inodes: attributes and extended attributes, which root may change
// for as long as the mount lives, as in sysfs.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "fs/params.h"

namespace damon_statfs {

struct Node {
  const Param* param = nullptr;  // nullptr: the directory
  struct stat attributes {};
  std::map<std::string, std::string, std::less<>> xattrs;
};

// Inode numbers: 1 is the directory, the files follow in directory order.
class Tree {
 public:
  explicit Tree(Abi abi);

  // The node of an inode number that the kernel has from us.
  Node& node(uint64_t inode) { return nodes_[inode - 1]; }

  // Returns: the file of that name, or nullptr.
  const Node* find(std::string_view name) const;

  // All files in directory order.
  std::span<const Node> files() const { return std::span(nodes_).subspan(1); }

 private:
  std::vector<Node> nodes_;
};

// Extended attributes with sysfs's errors. All return 0 or a positive errno.
int check_xattr_name(std::string_view name);  // EOPNOTSUPP for a namespace that sysfs does not have
int set_xattr(Node& node, const std::string& name, std::string value, int flags);
int remove_xattr(Node& node, std::string_view name);

// The names of a node's extended attributes, each ended by a zero byte. Those of the trusted
// namespace are for the privileged.
std::string list_xattrs(const Node& node, bool privileged);

}  // namespace damon_statfs
