// SPDX-License-Identifier: GPL-2.0-or-later
//
// A fixed set of inodes. Only attributes change, never names.
#include "fs/tree.h"

#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

namespace damon_statfs {
namespace {

constexpr blksize_t kBlockBytes = 4096;

Node make_node(uint64_t inode, mode_t mode, const Param* param) {
  Node node;
  node.param = param;
  node.attributes.st_ino = inode;
  node.attributes.st_mode = mode;
  node.attributes.st_nlink = param == nullptr ? 2 : 1;
  node.attributes.st_size = param == nullptr ? 0 : kBlockBytes;
  node.attributes.st_blksize = kBlockBytes;
  clock_gettime(CLOCK_REALTIME, &node.attributes.st_ctim);
  node.attributes.st_atim = node.attributes.st_mtim = node.attributes.st_ctim;
  return node;
}

bool has_prefix(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

}  // namespace

Tree::Tree(Abi abi) {
  nodes_.push_back(make_node(1, S_IFDIR | 0755, nullptr));
  for (const Param& param : all_params()) {
    if (param.since > abi) continue;
    nodes_.push_back(make_node(nodes_.size() + 1, S_IFREG | param.mode, &param));
  }
}

const Node* Tree::find(std::string_view name) const {
  const auto files = this->files();
  const auto found = std::find_if(files.begin(), files.end(),
                                  [&](const Node& file) { return file.param->name == name; });
  return found == files.end() ? nullptr : &*found;
}

int check_xattr_name(std::string_view name) {
  const bool known =
      has_prefix(name, "user.") || has_prefix(name, "trusted.") || has_prefix(name, "security.");
  return known ? 0 : EOPNOTSUPP;
}

int set_xattr(Node& node, const std::string& name, std::string value, int flags) {
  if (check_xattr_name(name) != 0 || has_prefix(name, "user.")) return EOPNOTSUPP;
  const bool exists = node.xattrs.contains(name);
  if ((flags & XATTR_CREATE) != 0 && exists) return EEXIST;
  if ((flags & XATTR_REPLACE) != 0 && !exists) return ENODATA;
  node.xattrs[name] = std::move(value);
  return 0;
}

int remove_xattr(Node& node, std::string_view name) {
  if (check_xattr_name(name) != 0 || has_prefix(name, "user.")) return EOPNOTSUPP;
  const auto found = node.xattrs.find(name);
  if (found == node.xattrs.end()) return ENODATA;
  node.xattrs.erase(found);
  return 0;
}

std::string list_xattrs(const Node& node, bool privileged) {
  std::string names;
  for (const auto& [name, value] : node.xattrs) {
    if (has_prefix(name, "trusted.") && !privileged) continue;
    names += name;
    names += '\0';
  }
  return names;
}

}  // namespace damon_statfs
