# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What the scripts share; sourced, not run.

# step TEXT: says what comes next.
step() {
  printf '\n== %s\n' "$*"
}

# die TEXT: gives up.
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# need_packages PACKAGE...: installs those of the Debian packages that are missing.
need_packages() {
  local package missing=() as_root=()
  for package; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
      missing+=("$package")
  done
  ((${#missing[@]})) || return 0

  step "Installing ${missing[*]}"
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "root must install: ${missing[*]}"
    as_root=(sudo)
  fi
  as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
  "${as_root[@]}" update
  "${as_root[@]}" install -y --no-install-recommends "${missing[@]}"
}

# What building everything takes.
BUILD_PACKAGES=(g++ meson ninja-build pkg-config libfuse3-dev libboost-dev nlohmann-json3-dev
  libspdlog-dev libcli11-dev libsystemd-dev libnl-3-dev libnl-genl-3-dev libcap-ng-dev
  libseccomp-dev libgtest-dev libbpf-dev clang bpftool)

# What tests/kernels takes: the emulator, and what the guest gets of this machine.
# shellcheck disable=SC2034 # for those who source this
KERNEL_PACKAGES=(qemu-system-x86 busybox-static dmsetup e2fsprogs xfsprogs btrfs-progs quota)

# What scripts/bench takes beside: the peers, and what draws.
# shellcheck disable=SC2034 # for those who source this
BENCH_PACKAGES=(libmount-dev util-linux python3 python3-matplotlib)

# configure DIRECTORY OPTION...: sets up a build directory, once. Files are compiled together, a
# multiple faster: most of what it takes to compile one is to read the libraries' headers.
# scripts/includes sees that files are complete by themselves. Of debugging information there are
# the lines, for what a sanitizer tells; all of it takes half as long again.
configure() {
  [[ -f $1/build.ninja ]] ||
    meson setup --unity=on --unity-size=16 -Ddebug=false -Dc_args=-g1 -Dcpp_args=-g1 "$@"
}

# configure_fuzzing DIRECTORY: sets up a build directory of the fuzzers, once.
configure_fuzzing() {
  need_packages "${BUILD_PACKAGES[@]}" clang libclang-rt-14-dev
  # clang links no sanitizer into shared libraries, so they have undefined symbols. What takes
  # longest is to compile.
  CC=clang CXX=clang++ configure "$1" -Dfuzzers=true -Db_sanitize=address,undefined \
    -Db_lundef=false -Doptimization=0
}
