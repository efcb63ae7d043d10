// SPDX-License-Identifier: MIT
#include "base/mapping.h"

#include <sys/mman.h>

#include <utility>

#include "base/error.h"

namespace watchq {
namespace {

std::span<std::byte> map(int flags, int fd, std::size_t size) {
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (address == MAP_FAILED) throw_errno("mmap of " + std::to_string(size) + " bytes");
  return {static_cast<std::byte*>(address), size};
}

}  // namespace

Mapping Mapping::shared(int fd, std::size_t size) { return Mapping(map(MAP_SHARED, fd, size)); }

Mapping Mapping::anonymous(std::size_t size) {
  return Mapping(map(MAP_PRIVATE | MAP_ANONYMOUS, -1, size));
}

Mapping::Mapping(Mapping&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

Mapping::~Mapping() {
  if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
}

}  // namespace watchq
