// SPDX-License-Identifier: MIT
#include "base/mapping_guard.h"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "base/error.h"

namespace watchq {

/// Never destroyed, and in a list that only grows: a signal handler may walk it at any moment.
struct MappingGuard::Slot {
  std::atomic<std::uintptr_t> begin = 0;  // 0: free
  std::atomic<std::uintptr_t> end = 0;
  std::atomic<bool> broken = false;
  Slot* next = nullptr;
};

namespace {

using Slot = MappingGuard::Slot;

std::atomic<Slot*> slots = nullptr;

std::uintptr_t page_bytes = 4096;

std::vector<Slot*>& free_slots() {
  static std::vector<Slot*> slots_that_are_free;
  return slots_that_are_free;
}

Slot* take_slot() {
  if (!free_slots().empty()) {
    Slot* slot = free_slots().back();
    free_slots().pop_back();
    return slot;
  }
  static std::deque<Slot> all;
  Slot* slot = &all.emplace_back();
  slot->next = slots.load(std::memory_order_relaxed);
  slots.store(slot, std::memory_order_release);
  return slot;
}

Slot* slot_of(std::uintptr_t address) {
  for (Slot* slot = slots.load(std::memory_order_acquire); slot != nullptr; slot = slot->next) {
    if (address >= slot->begin && address < slot->end) return slot;
  }
  return nullptr;
}

/// Only what may be done in a signal handler. mmap(2) is a plain system call.
void on_bus_error(int number, siginfo_t* info, void*) {
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  Slot* slot = slot_of(address);
  if (slot != nullptr) {
    void* page = reinterpret_cast<void*>(address & ~(page_bytes - 1));
    constexpr int kOwn = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    if (::mmap(page, page_bytes, PROT_READ | PROT_WRITE, kOwn, -1, 0) == page) {
      slot->broken = true;
      return;
    }
  }
  // What touched it is done again, and ends us.
  ::signal(number, SIG_DFL);
}

}  // namespace

MappingGuard::MappingGuard(std::span<std::byte> memory) : slot_(take_slot()) {
  const auto begin = reinterpret_cast<std::uintptr_t>(memory.data());
  slot_->broken = false;
  slot_->end = begin + memory.size();
  slot_->begin = begin;
}

MappingGuard::MappingGuard(MappingGuard&& other) noexcept
    : slot_(std::exchange(other.slot_, nullptr)) {}

MappingGuard& MappingGuard::operator=(MappingGuard&& other) noexcept {
  std::swap(slot_, other.slot_);
  return *this;
}

MappingGuard::~MappingGuard() {
  if (slot_ == nullptr) return;
  slot_->end = 0;
  slot_->begin = 0;
  free_slots().push_back(slot_);
}

bool MappingGuard::broken() const { return slot_ != nullptr && slot_->broken; }

void install_mapping_guard() {
  page_bytes = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO;
  if (::sigaction(SIGBUS, &action, nullptr) != 0) throw_errno("sigaction(SIGBUS)");
}

}  // namespace watchq
