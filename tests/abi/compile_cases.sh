#!/bin/bash
# SPDX-License-Identifier: MIT
# Compiles small sources that include the public headers: what must compile does without a word
# under the strictest options, and what must not is refused. Reports as TAP.
#
# usage: compile_cases.sh c|c++ STANDARD INCLUDE_DIR COMPILER...
set -uo pipefail
language=$1 standard=$2 include=$3
shift 3

case_number=0
said=

# compiles HEADER...: whether a source of just these #include lines compiles; sets $said.
compiles() {
  said=$(printf '#include <%s>\n' "$@" |
    "${compiler[@]}" -I"$include" -x "$language" -fsyntax-only - 2>&1)
}

report() {
  local verdict=$1 name=$2
  ((++case_number))
  printf '%s %d - %s as %s\n' "$verdict" "$case_number" "$name" "$standard"
  [[ $verdict == ok ]] || printf '%s\n' "$said" | sed 's/^/# /'
}

expect_compiles() {
  if compiles "${@:2}" && [[ -z $said ]]; then report ok "$1"; else report "not ok" "$1"; fi
}

expect_refused() {
  local name=$1 text=$2
  shift 2
  if ! compiles "$@" && [[ $said == *"$text"* ]]; then
    report ok "$name"
  else
    report "not ok" "$name"
  fi
}

compiler=("$@" "-std=$standard" -pedantic-errors -Wall -Wextra -Wconversion -Wshadow -Wundef -Werror)
[[ $language == c ]] || compiler+=(-Wold-style-cast)
ours='use the same names for other numbers'
records=watchq/watch_queue.h ring=watchq/ring.h kernel=linux/watch_queue.h

echo 1..9
expect_compiles "the records need no other header" "$records"
expect_compiles "the ring needs no other header" "$ring"
expect_compiles "the library's header needs no other" watchq/watchq.h
expect_compiles "the names of 2018 need no other" watchq/compat.h
expect_compiles "the headers may be included twice" "$ring" "$records" "$ring" "$records"
expect_compiles "the kernel's records are there to be confused with ours" "$kernel"
expect_refused "the records are refused after the kernel's" "$ours" "$kernel" "$records"
expect_refused "the ring is refused after the kernel's records" "$ours" "$kernel" "$ring"
expect_refused "the kernel's records are refused after ours" "$kernel" "$records" "$kernel"
