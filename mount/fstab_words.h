// SPDX-License-Identifier: GPL-2.0-or-later
//
// The generic words of fstab and FUSE that reach a mount program through mount(8) and systemd, and
// what each means to us. A word that is unknown here has to fail: it may be a misspelt option.
#pragma once

#include <string_view>

namespace damon_statfs {

enum class FstabWord {
  kUnknown,
  kSilent,   // says what is so anyway, or is for mount(8)
  kIgnored,  // known to other filesystems and without effect here; worth a warning
  kMount,    // for the mount itself
  kRemount,
};

FstabWord classify_fstab_word(std::string_view word);

// Since util-linux 2.39 a word may say for which mounts or layer it is meant: ro=recursive, ro=vfs.
// Returns: the word alone.
std::string_view without_scope(std::string_view word);

}  // namespace damon_statfs
