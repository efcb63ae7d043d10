// SPDX-License-Identifier: MIT
#include "base/memfd.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "base/error.h"

namespace watchq {

UniqueFd create_memfd(const char* name) {
  UniqueFd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid()) throw_errno("memfd_create");
  return fd;
}

void size_and_seal_memfd(int fd, std::size_t size) {
  // fallocate both sizes the file and takes its pages, so that a shortage of memory is an error
  // here and no SIGBUS later.
  if (::fallocate(fd, 0, 0, static_cast<off_t>(size)) != 0) {
    throw_errno("fallocate of " + std::to_string(size) + " bytes");
  }
  if (::fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    throw_errno("sealing a memfd");
  }
}

}  // namespace watchq
