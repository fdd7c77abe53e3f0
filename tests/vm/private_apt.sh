# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# apt with sources, lists and cache of its own, so that packages of any Debian suite can be fetched while
# the machine's suite stays what it is. Sourced by tests/vm/kernel and debian_kernel, which set $work.

# shellcheck disable=SC2154 # work
# private_apt TOOL ARGUMENT...
private_apt() {
  local tool=$1
  shift
  "$tool" -q -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::Etc::preferencesparts=/dev/null -o Dir::State::Lists="$work/lists" \
    -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root "$@"
}

# prepare_private_apt SUITE: fails when the suite cannot be reached.
prepare_private_apt() {
  rm -rf "$work/lists" "$work/cache"
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
    "http://deb.debian.org/debian $1 main" > "$work/sources.list"
  private_apt apt-get update -o APT::Update::Error-Mode=any >&2
}

# dependencies PACKAGE PATTERN: the packages that it depends on whose names match.
dependencies() {
  private_apt apt-cache depends "$1" | awk '$1 == "Depends:" { print $2 }' | grep -E "$2" || true
}

version_of() { private_apt apt-cache show "$1" | awk '/^Version:/ { print $2; exit }'; }

# unpack_packages DIRECTORY PACKAGE...
unpack_packages() {
  local directory=$1 package
  shift
  (cd "$work" && private_apt apt-get download "$@" >&2)
  for package in "$@"; do dpkg -x "$work/$package"_*.deb "$directory"; done
}
