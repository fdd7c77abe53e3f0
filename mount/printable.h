// SPDX-License-Identifier: GPL-2.0-or-later
//
// Paths, options and what other programs have written may hold any bytes. Whatever the program
// sends to a terminal, the log or the service manager goes through the one function here.
#pragma once

#include <string>
#include <string_view>

namespace damon_statfs {

// Returns: the text, each byte of what is not printable as \x and two hexadecimal digits, such as
// \x0a for the end of a line. Not printable: control characters, of ASCII (with DEL) and of
// Unicode, what changes the direction or the layout of text or cannot be seen, and what is no
// UTF-8. A backslash stays one, so to make a text printable twice changes nothing.
std::string printable(std::string_view text);

}  // namespace damon_statfs
