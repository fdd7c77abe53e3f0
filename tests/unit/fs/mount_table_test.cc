// SPDX-License-Identifier: GPL-2.0-or-later
//
// The machine's own table of mounts is read, as every machine has /proc mounted; mounts of ours,
// and odd names, are in the tests of a real mount.
#include "fs/mount_table.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "support/catch.h"

namespace damon_statfs {
namespace {

TEST_CASE("every errno of a dead FUSE mount means that", "[mount_table]") {
  CHECK(means_dead(ENOTCONN));      // its daemon has ended
  CHECK(means_dead(ECONNABORTED));  // it is just ending
  CHECK(means_dead(ECONNREFUSED));  // it has never answered, Linux 7.2
  for (const int other : {0, EACCES, EBUSY, EINTR, EIO, ENOENT, ENOMEM, ETIMEDOUT, EAGAIN}) {
    CHECK_FALSE(means_dead(other));
  }
}

TEST_CASE("the table of mounts is read line by line", "[mount_table]") {
  const Result<std::vector<MountEntry>> read = read_mount_table();
  REQUIRE(read);
  const std::vector<MountEntry>& table = read.value();
  REQUIRE_FALSE(table.empty());
  std::set<uint64_t> ids;
  for (const MountEntry& entry : table) {
    CHECK(ids.insert(entry.id).second);
    CHECK(entry.mountpoint.starts_with('/'));
    CHECK(entry.device.find(':') != std::string::npos);
    CHECK_FALSE(entry.type.empty());
    CHECK(entry.type != "-");
  }
  CHECK(std::any_of(table.begin(), table.end(), [](const MountEntry& entry) {
    return entry.mountpoint == "/proc" && entry.type == "proc";
  }));
}

TEST_CASE("one line of the table, with and without optional fields", "[mount_table]") {
  const MountEntry entry = parse_mount_line(
      "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:2 - ext3 /dev/ro\\040ot rw,errors=x");
  CHECK(entry.id == 36);
  CHECK(entry.parent_id == 35);
  CHECK(entry.device == "98:0");
  CHECK(entry.mountpoint == "/mnt 2");
  CHECK(entry.type == "ext3");
  CHECK(entry.options == "rw,errors=x");
  CHECK(parse_mount_line("1 0 0:5 / /proc rw - proc proc rw,hidepid=2").options == "rw,hidepid=2");
}

// The kernel escapes a space, a tab, the end of a line and a backslash. All else stands there raw.
TEST_CASE("only spaces divide a line of the table", "[mount_table]") {
  const MountEntry odd = parse_mount_line(
      "9 1 0:40 / /m\r\v\f\xc2\x85x rw - fuse.damon-statfs so\rurce\v- rw,user_id=0");
  CHECK(odd.mountpoint == "/m\r\v\f\xc2\x85x");
  CHECK(odd.type == "fuse.damon-statfs");
  CHECK(odd.options == "rw,user_id=0");
  const MountEntry empty_source = parse_mount_line("9 1 0:40 / /m rw - tmpfs  rw");
  CHECK(empty_source.type == "tmpfs");
  CHECK(empty_source.options == "rw");
}

TEST_CASE("a backslash is an escape only before three octal digits of a byte", "[mount_table]") {
  const auto mountpoint = [](const std::string& field) {
    return parse_mount_line("9 1 0:40 / " + field + " rw - tmpfs tmpfs rw").mountpoint;
  };
  CHECK(mountpoint("/a\\134b\\011c\\012") == "/a\\b\tc\n");
  CHECK(mountpoint("/\\040") == "/ ");
  for (const char* field :
       {"/a\\", "/a\\0", "/a\\04", "/a\\04x", "/a\\x41", "/\\-40", "/\\999", "/\\777", "/\\\\"}) {
    CHECK(mountpoint(field) == field);
  }
}

TEST_CASE("one field of the table", "[mount_table]") {
  CHECK(unescape_mount_field("").empty());
  CHECK(unescape_mount_field("/a\\134b\\011c\\012\\040") == "/a\\b\tc\n ");
  CHECK(unescape_mount_field("\\000") == std::string(1, '\0'));
  CHECK(unescape_mount_field("\\377") == "\xff");
  CHECK(unescape_mount_field("\\134040") == "\\040");  // what is unescaped is not looked at again
  // Every cut, and every byte in the place of every other one: as many bytes or fewer come out.
  const std::string whole = "/m\\040\\134x";
  for (size_t size = 0; size <= whole.size(); ++size) {
    CHECK(unescape_mount_field(whole.substr(0, size)).size() <= size);
  }
  for (size_t i = 0; i < whole.size(); ++i) {
    for (int byte = 0; byte <= 0xff; ++byte) {
      std::string hostile = whole;
      hostile[i] = static_cast<char>(byte);
      if (unescape_mount_field(hostile).size() > whole.size()) FAIL(hostile);
    }
  }
}

TEST_CASE("the line of fdinfo that tells the mount", "[mount_table]") {
  CHECK(parse_mount_id("mnt_id:\t27") == uint64_t{27});
  CHECK(parse_mount_id("mnt_id: 18446744073709551615") == UINT64_MAX);
  for (const char* line : {"", "mnt_id", "mnt_id:", "mnt_id:\t", "mnt_id:\t-1", "mnt_id:\t2x",
                           "mnt_id:\t18446744073709551616", "pos:\t0", "xmnt_id:\t1"}) {
    CAPTURE(line);
    CHECK_FALSE(parse_mount_id(line));
  }
}

TEST_CASE("a line that is cut has what is there", "[mount_table]") {
  for (const char* line : {"", " ", "9", "9 1 0:40 /", "9 1 0:40 / /m rw", "9 1 0:40 / /m rw -"}) {
    CHECK(parse_mount_line(line).type.empty());
  }
}

TEST_CASE("a path leads to the mount that it is the root of, or to none", "[mount_table]") {
  const std::optional<MountEntry> proc = mount_at("/proc").value();
  REQUIRE(proc);
  CHECK(proc->type == "proc");
  CHECK(mount_id_at("/proc").value() == proc->id);
  // A directory in the mount is reached by it, but is not where it is mounted.
  CHECK(mount_id_at("/proc/self/task").value() == proc->id);
  CHECK_FALSE(mount_at("/proc/self/task").value());
  CHECK(mount_id_at("/proc/no such file").error().code.value() == ENOENT);
  CHECK_FALSE(mount_at("/proc/no such file").value());
  CHECK_FALSE(mount_at("").value());
}

// What cannot be told is not "nothing is mounted there".
TEST_CASE("without a descriptor the table of mounts is an error", "[mount_table]") {
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{0, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  const Result<std::vector<MountEntry>> table = read_mount_table();
  const Result<uint64_t> id = mount_id_at("/proc");
  const Result<std::optional<MountEntry>> mount = mount_at("/proc");
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE_FALSE(table);
  CHECK(table.error().code.value() == EMFILE);
  REQUIRE_FALSE(id);
  CHECK(id.error().code.value() == EMFILE);
  REQUIRE_FALSE(mount);
  CHECK(mount.error().code.value() == EMFILE);
}

TEST_CASE("a file system that is no FUSE mount answers", "[mount_table]") {
  CHECK(ask_mount("/proc") == MountHealth::kAnswers);
  CHECK(ask_mount("/proc/no such file") == MountHealth::kAnswers);  // ENOENT is an answer, too
}

}  // namespace
}  // namespace damon_statfs
