// SPDX-License-Identifier: MIT
#include "kernel/space_figures.h"

#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace watchq {
namespace {

/// struct ustat of linux/types.h; __kernel_daddr_t is 32 bits wide.
struct KernelUstat {
  std::uint32_t tfree;
  unsigned long tinode;
  std::array<char, 6> fname;
  std::array<char, 6> fpack;
};

/// A device number as the kernel's calls of old take it (new_encode_dev() of linux/kdev_t.h).
std::uint32_t encode_device(std::uint64_t device) {
  const std::uint32_t minor = gnu_dev_minor(device);
  return (minor & 0xff) | gnu_dev_major(device) << 8 | (minor & ~0xffU) << 12;
}

}  // namespace

SpaceFigures space_of(const struct statfs& stat) {
  SpaceFigures figures;
  figures.blocks = stat.f_blocks;
  figures.free_blocks = std::min(stat.f_bavail, stat.f_blocks);
  figures.inodes = stat.f_files;
  figures.free_inodes = stat.f_ffree;
  figures.block_size =
      static_cast<std::uint32_t>(stat.f_frsize != 0 ? stat.f_frsize : stat.f_bsize);
  if (stat.f_bfree > stat.f_bavail) figures.reserved_blocks = stat.f_bfree - stat.f_bavail;
  figures.magic = static_cast<std::uint32_t>(stat.f_type);
  return figures;
}

std::optional<SpaceFigures> ask_space(int fd) {
  struct statfs stat {};
  if (::fstatfs(fd, &stat) != 0) return std::nullopt;
  return space_of(stat);
}

int ask_ustat(std::uint64_t device, UstatFigures& figures) {
#ifdef SYS_ustat
  KernelUstat stat{};
  if (::syscall(SYS_ustat, encode_device(device), &stat) != 0) return errno;
  figures = {stat.tfree, stat.tinode};
  return 0;
#else
  static_cast<void>(device);
  static_cast<void>(figures);
  return ENOSYS;
#endif
}

}  // namespace watchq
