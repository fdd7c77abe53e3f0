// SPDX-License-Identifier: GPL-2.0-or-later
//
// libfuse's low-level callbacks. The errors are those that sysfs gives; what the kernel decides by
// itself (default_permissions, ENOSYS for what is left out here) is not repeated.
#include "fs/ops.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <new>
#include <string>

#include "damon_statfs/options_ioctl.h"
#include "damon_statfs/status_ioctl.h"

namespace damon_statfs {
namespace {

// Names and attributes change only through the kernel, which then knows.
constexpr double kCacheSeconds = 1e6;
constexpr size_t kMaxWriteBytes = 4096;
constexpr mode_t kModeBits = 07777;
constexpr off_t kEndOfDirectory = 0x7fffffff;

Filesystem& filesystem(fuse_req_t req) { return *static_cast<Filesystem*>(fuse_req_userdata(req)); }

OpenFile& open_file(fuse_req_t req, const fuse_file_info* info) {
  return filesystem(req).open_files.at(info->fh);
}

// A callback for libfuse: no exception may reach it. None of ours throws after it has replied.
template <auto kFunction, class... Args>
void guarded(fuse_req_t req, Args... args) noexcept {
  try {
    kFunction(req, args...);
  } catch (const std::bad_alloc&) {
    fuse_reply_err(req, ENOMEM);
  } catch (...) {
    fuse_reply_err(req, EIO);
  }
}

// A callback that refuses whatever it is asked.
template <int kErrno, class... Args>
void refused(fuse_req_t req, Args...) noexcept {
  fuse_reply_err(req, kErrno);
}

void init(void* userdata, fuse_conn_info* connection) noexcept {
  // All data is small and in memory: splicing costs more than it saves. Truncation by open() would
  // set the size that the kernel knows to 0.
  connection->want &= ~static_cast<unsigned>(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE |
                                             FUSE_CAP_SPLICE_MOVE | FUSE_CAP_ATOMIC_O_TRUNC);
  static_cast<Filesystem*>(userdata)->initialised = true;
}

void lookup(fuse_req_t req, fuse_ino_t, const char* name) {
  fuse_entry_param entry{};
  entry.attr_timeout = entry.entry_timeout = kCacheSeconds;
  if (const Node* const file = filesystem(req).tree.find(name)) {  // else: known not to exist
    entry.ino = file->attributes.st_ino;
    entry.attr = file->attributes;
  }
  fuse_reply_entry(req, &entry);
}

void getattr(fuse_req_t req, fuse_ino_t inode, fuse_file_info*) {
  fuse_reply_attr(req, &filesystem(req).tree.node(inode).attributes, kCacheSeconds);
}

// Mode, owner and times stick; the size stays what it is, and truncation succeeds without effect.
void setattr(fuse_req_t req, fuse_ino_t inode, struct stat* wanted, int to_set, fuse_file_info*) {
  struct stat& attributes = filesystem(req).tree.node(inode).attributes;
  if ((to_set & FUSE_SET_ATTR_SIZE) == 0) {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    if ((to_set & FUSE_SET_ATTR_MODE) != 0) {
      attributes.st_mode = (attributes.st_mode & S_IFMT) | (wanted->st_mode & kModeBits);
    }
    if ((to_set & FUSE_SET_ATTR_UID) != 0) attributes.st_uid = wanted->st_uid;
    if ((to_set & FUSE_SET_ATTR_GID) != 0) attributes.st_gid = wanted->st_gid;
    if ((to_set & FUSE_SET_ATTR_ATIME) != 0) attributes.st_atim = wanted->st_atim;
    if ((to_set & FUSE_SET_ATTR_MTIME) != 0) attributes.st_mtim = wanted->st_mtim;
    if ((to_set & FUSE_SET_ATTR_ATIME_NOW) != 0) attributes.st_atim = now;
    if ((to_set & FUSE_SET_ATTR_MTIME_NOW) != 0) attributes.st_mtim = now;
    attributes.st_ctim = now;
  }
  fuse_reply_attr(req, &attributes, kCacheSeconds);
}

// Even root cannot open a file for what its mode allows no user: a 0400 file is never written.
void open(fuse_req_t req, fuse_ino_t inode, fuse_file_info* info) {
  Filesystem& fs = filesystem(req);
  const Node& node = fs.tree.node(inode);
  const int access = info->flags & O_ACCMODE;
  const mode_t mode = node.attributes.st_mode;
  const bool writes = access == O_WRONLY || access == O_RDWR;
  const bool reads = access == O_RDONLY || access == O_RDWR;
  if ((writes && (mode & 0222) == 0) || (reads && (mode & 0444) == 0)) {
    fuse_reply_err(req, EACCES);
    return;
  }
  if ((info->flags & O_DIRECT) != 0) {
    fuse_reply_err(req, EINVAL);
    return;
  }
  info->fh = fs.next_handle++;
  fs.open_files.emplace(info->fh, OpenFile(*node.param, fs.abi));
  info->direct_io = 1;
  info->noflush = 1;
#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 15)
  info->parallel_direct_writes = 1;  // a waiting second writer can then be killed
#endif
  if (fuse_reply_open(req, info) != 0) fs.open_files.erase(info->fh);  // no release will come
}

void release(fuse_req_t req, fuse_ino_t, fuse_file_info* info) {
  filesystem(req).open_files.erase(info->fh);
  fuse_reply_err(req, 0);
}

// A READ through the page cache carries no lock owner, one of FOPEN_DIRECT_IO always does. Since
// Linux 6.5 splice(2) and sendfile(2) make the former in spite of FOPEN_DIRECT_IO, and so do
// private mappings and readahead.
bool is_for_page_cache(const fuse_file_info* info) { return info->lock_owner == 0; }

// The page cache gets nothing: the kernel would keep the text beyond its snapshot, and take its
// length for the file's size, which cuts the texts of all who splice later. EINVAL is what
// splice(2) answers for files without splicing, whereupon programs use read(2).
void read(fuse_req_t req, fuse_ino_t, size_t size, off_t offset, fuse_file_info* info) {
  if (is_for_page_cache(info)) {
    fuse_reply_err(req, EINVAL);
    return;
  }
  const Snapshot& newest = filesystem(req).snapshots.newest();
  const std::string_view part =
      open_file(req, info).read(size, static_cast<uint64_t>(offset), newest);
  fuse_reply_buf(req, part.data(), part.size());
}

void on_interrupt(fuse_req_t req, void* userdata) noexcept {
  static_cast<Filesystem*>(userdata)->enabled.interrupt(req);
}

void write(fuse_req_t req, fuse_ino_t, const char* text, size_t size, off_t, fuse_file_info* info) {
  Filesystem& fs = filesystem(req);
  if (!open_file(req, info).param().writable) {
    fuse_reply_err(req, EIO);
    return;
  }
  const size_t taken = std::min(size, kMaxWriteBytes);
  const std::optional<bool> on = parse_bool({text, taken}, fs.abi);
  if (!on) {
    fuse_reply_err(req, EINVAL);
    return;
  }
  fuse_req_interrupt_func(req, on_interrupt, &fs);
  fs.enabled.write(req, *on, [req, taken](int errno_value) {
    errno_value == 0 ? fuse_reply_write(req, taken) : fuse_reply_err(req, errno_value);
  });
}

void poll(fuse_req_t req, fuse_ino_t, fuse_file_info* info, fuse_pollhandle* handle) {
  if (handle != nullptr)
    fuse_pollhandle_destroy(handle);  // a change wakes no poller up, as in sysfs
  const unsigned ready = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
  fuse_reply_poll(req, open_file(req, info).was_read() ? ready : ready | POLLERR | POLLPRI);
}

// A text as the struct of a fixed size that an ioctl of ours is answered with; what is behind the
// zero byte is left as it was.
template <size_t kSize>
void reply_ioctl_text(fuse_req_t req, std::string text) {
  text.resize(std::min(text.size(), kSize - 1));
  fuse_reply_ioctl(req, 0, text.c_str(), text.size() + 1);
}

void change_options(fuse_req_t req, std::string_view words) {
  Filesystem& fs = filesystem(req);
  if (fuse_req_ctx(req)->uid != 0) {
    fuse_reply_err(req, EPERM);
    return;
  }
  fuse_req_interrupt_func(req, on_interrupt, &fs);
  fs.change_options(req, words, [req](const std::string& refusal) {
    reply_ioctl_text<sizeof(damon_statfs_options::text)>(req, refusal);
  });
}

// No ioctl is sysfs's, and two are ours: see status_ioctl.h and options_ioctl.h. What the kernel
// answers by itself, such as FIONREAD, does not come here.
void ioctl(fuse_req_t req, fuse_ino_t inode, unsigned command, void*, fuse_file_info*, unsigned,
           const void* data, size_t size, size_t) {
  Filesystem& fs = filesystem(req);
  const Param* const param = fs.tree.node(inode).param;
  const std::string_view name = param == nullptr ? "" : param->name;
  if (fs.status && command == DAMON_STATFS_GET_STATUS && name == DAMON_STATFS_STATUS_FILE) {
    reply_ioctl_text<sizeof(damon_statfs_status::json)>(req, fs.status());
  } else if (fs.change_options && command == DAMON_STATFS_CHANGE_OPTIONS &&
             name == DAMON_STATFS_OPTIONS_FILE) {
    const auto* const text = static_cast<const char*>(data);
    change_options(req, {text, strnlen(text, size)});
  } else {
    fuse_reply_err(req, ENOTTY);
  }
}

struct DirectoryEntry {
  const char* name;
  const struct stat* attributes;
  off_t next_offset;
};

void readdir(fuse_req_t req, fuse_ino_t, size_t size, off_t offset, fuse_file_info*) {
  Tree& tree = filesystem(req).tree;
  const auto files = tree.files();
  const struct stat& root = tree.node(FUSE_ROOT_ID).attributes;
  std::vector<DirectoryEntry> entries;
  if (offset < 1) entries.push_back({".", &root, 1});
  if (offset < 2) entries.push_back({"..", &root, static_cast<off_t>(files[0].param->name_hash)});
  for (size_t i = 0; i < files.size(); ++i) {
    if (static_cast<off_t>(files[i].param->name_hash) < offset) continue;
    const off_t next =
        i + 1 < files.size() ? static_cast<off_t>(files[i + 1].param->name_hash) : kEndOfDirectory;
    entries.push_back({files[i].param->name, &files[i].attributes, next});
  }
  std::string buffer(size, '\0');
  size_t used = 0;
  for (const DirectoryEntry& entry : entries) {
    const size_t entry_size = fuse_add_direntry(req, buffer.data() + used, size - used, entry.name,
                                                entry.attributes, entry.next_offset);
    if (entry_size > size - used) break;
    used += entry_size;
  }
  fuse_reply_buf(req, buffer.data(), used);
}

void statfs(fuse_req_t req, fuse_ino_t) {
  struct statvfs info {};
  info.f_bsize = info.f_frsize = 4096;
  info.f_namemax = 255;
  fuse_reply_statfs(req, &info);
}

void mknod(fuse_req_t req, fuse_ino_t, const char*, mode_t mode, dev_t) {
  fuse_reply_err(req, S_ISREG(mode) ? EACCES : EPERM);
}

// Replies with an attribute value or list the way getxattr(2) wants it: size 0 asks for its length.
void reply_xattr(fuse_req_t req, std::string_view data, size_t size) {
  if (size == 0) {
    fuse_reply_xattr(req, data.size());
  } else if (data.size() > size) {
    fuse_reply_err(req, ERANGE);
  } else {
    fuse_reply_buf(req, data.data(), data.size());
  }
}

void getxattr(fuse_req_t req, fuse_ino_t inode, const char* name, size_t size) {
  const Node& node = filesystem(req).tree.node(inode);
  const auto found = node.xattrs.find(name);
  if (found != node.xattrs.end()) return reply_xattr(req, found->second, size);
  const int unknown = check_xattr_name(name);
  fuse_reply_err(req, unknown != 0 ? unknown : ENODATA);
}

void listxattr(fuse_req_t req, fuse_ino_t inode, size_t size) {
  const bool privileged = fuse_req_ctx(req)->uid == 0;
  reply_xattr(req, list_xattrs(filesystem(req).tree.node(inode), privileged), size);
}

void setxattr(fuse_req_t req, fuse_ino_t inode, const char* name, const char* value, size_t size,
              int flags) {
  Node& node = filesystem(req).tree.node(inode);
  fuse_reply_err(req, set_xattr(node, name, std::string(value, size), flags));
}

void removexattr(fuse_req_t req, fuse_ino_t inode, const char* name) {
  fuse_reply_err(req, remove_xattr(filesystem(req).tree.node(inode), name));
}

fuse_lowlevel_ops make_ops() {
  fuse_lowlevel_ops ops{};
  ops.init = init;
  ops.lookup = guarded<lookup>;
  ops.getattr = guarded<getattr>;
  ops.setattr = guarded<setattr>;
  ops.open = guarded<open>;
  ops.release = guarded<release>;
  ops.read = guarded<read>;
  ops.write = guarded<write>;
  ops.poll = guarded<poll>;
  ops.ioctl = guarded<ioctl>;
  ops.readdir = guarded<readdir>;
  ops.statfs = guarded<statfs>;
  ops.getxattr = guarded<getxattr>;
  ops.listxattr = guarded<listxattr>;
  ops.setxattr = guarded<setxattr>;
  ops.removexattr = guarded<removexattr>;
  ops.fsyncdir = refused<EINVAL>;
  ops.create = refused<EACCES>;
  ops.mknod = guarded<mknod>;
  ops.mkdir = refused<EPERM>;
  ops.symlink = refused<EPERM>;
  ops.link = refused<EPERM>;
  ops.unlink = refused<EPERM>;
  ops.rmdir = refused<EPERM>;
  ops.rename = refused<EPERM>;
  return ops;
}

}  // namespace

const fuse_lowlevel_ops& filesystem_ops() {
  static const fuse_lowlevel_ops ops = make_ops();
  return ops;
}

}  // namespace damon_statfs
