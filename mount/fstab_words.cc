// SPDX-License-Identifier: GPL-2.0-or-later
//
// Lists of words between blanks. A word that ends with "=" or "-" stands for all that begin with
// it. The generic ones are those of util-linux 2.38 to 2.41, mount(8).
#include "mount/fstab_words.h"

#include <algorithm>
#include <array>

namespace damon_statfs {
namespace {

constexpr std::string_view kMountWords =
    " ro sync dirsync noatime nosymfollow context= fscontext= defcontext= rootcontext= ";

constexpr std::string_view kSilentWords =
    " rw async dev nodev suid nosuid exec noexec auto noauto user user= nouser users nousers owner"
    " noowner group nogroup nofail _netdev defaults atime diratime nodiratime relatime norelatime"
    " strictatime nostrictatime lazytime nolazytime mand nomand iversion noiversion symfollow"
    " silent loud nonempty seclabel allow_other default_permissions x- X- comment= helper= uhelper="
    " fsname= subtype= user_id= group_id= rootmode= ";

constexpr std::string_view kIgnoredWords =
    " uid= gid= umask= max_read= allow_root auto_unmount drop_privileges sub nosub"
    " private rprivate shared rshared slave rslave unbindable runbindable"
    " smackfsdef= smackfsdefault= smackfsfloor= smackfshat= smackfsroot= smackfstransmute= ";

// Words that may have one of kScopes behind them: those for the kernel's virtual file system.
constexpr std::string_view kScopedWords =
    " ro rw exec noexec suid nosuid dev nodev atime noatime diratime nodiratime relatime norelatime"
    " strictatime nostrictatime symfollow nosymfollow ";
constexpr std::array<std::string_view, 3> kScopes = {"=recursive", "=vfs", "=fs"};

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

std::string_view without_scope(std::string_view word) {
  for (const std::string_view scope : kScopes) {
    const std::string_view rest = word.substr(0, word.size() - std::min(word.size(), scope.size()));
    if (word.ends_with(scope) && lists(kScopedWords, rest)) return rest;
  }
  return word;
}

FstabWord classify_fstab_word(std::string_view word) {
  word = without_scope(word);
  if (word == "remount") return FstabWord::kRemount;
  if (lists(kMountWords, word)) return FstabWord::kMount;
  if (lists(kSilentWords, word)) return FstabWord::kSilent;
  if (lists(kIgnoredWords, word)) return FstabWord::kIgnored;
  return FstabWord::kUnknown;
}

}  // namespace damon_statfs
