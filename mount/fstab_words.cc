// SPDX-License-Identifier: GPL-2.0-or-later
//
// Lists of words between blanks. A word that ends with "=" or "-" stands for all that begin with
// it.
#include "mount/fstab_words.h"

namespace damon_statfs {
namespace {

constexpr std::string_view kMountWords = " ro sync dirsync noatime ";

constexpr std::string_view kSilentWords =
    " rw async dev nodev suid nosuid exec noexec auto noauto user nouser users owner group nofail"
    " _netdev defaults atime diratime nodiratime relatime norelatime strictatime nostrictatime"
    " lazytime nolazytime mand nomand iversion noiversion silent loud nonempty allow_other"
    " default_permissions x- X- comment= fsname= subtype= user_id= group_id= rootmode= ";

constexpr std::string_view kIgnoredWords =
    " uid= gid= umask= max_read= allow_root auto_unmount drop_privileges ";

bool lists(std::string_view words, std::string_view word) {
  for (size_t begin = 1; begin < words.size();) {
    const size_t end = words.find(' ', begin);
    const std::string_view listed = words.substr(begin, end - begin);
    const bool is_prefix = listed.back() == '=' || listed.back() == '-';
    if (is_prefix ? word.substr(0, listed.size()) == listed : word == listed) return true;
    begin = end + 1;
  }
  return false;
}

}  // namespace

FstabWord classify_fstab_word(std::string_view word) {
  if (word == "remount") return FstabWord::kRemount;
  if (lists(kMountWords, word)) return FstabWord::kMount;
  if (lists(kSilentWords, word)) return FstabWord::kSilent;
  if (lists(kIgnoredWords, word)) return FstabWord::kIgnored;
  return FstabWord::kUnknown;
}

}  // namespace damon_statfs
