// SPDX-License-Identifier: MIT
#include "kernel/key_bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>

// Generated, and by rules of its own.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include "keys.skel.h"
#pragma GCC diagnostic pop

namespace watchq {
namespace {

[[noreturn]] void fail(int error, const std::string& what) {
  throw std::system_error(error < 0 ? -error : error, std::system_category(), what);
}

/// The kernel's name for the system call of programs as wide as it is, and of those of 32 bits.
#if defined(__x86_64__)
constexpr const char* kAddKey = "__x64_sys_add_key";
constexpr const char* kAddKey32 = "__ia32_sys_add_key";
#elif defined(__aarch64__)
constexpr const char* kAddKey = "__arm64_sys_add_key";
constexpr const char* kAddKey32 = "";  // programs of 32 bits come the same way
#else
constexpr const char* kAddKey = "__se_sys_add_key";
constexpr const char* kAddKey32 = "";
#endif

/// What libbpf says is left out: an error has its own text.
int be_silent(libbpf_print_level /*level*/, const char* /*format*/, va_list /*arguments*/) {
  return 0;
}

/// The function that a program is for: "fentry/key_revoke", but for the names above.
std::string function_of(const bpf_program* program) {
  const std::string_view section = bpf_program__section_name(program);
  const auto name = section.substr(section.find('/') + 1);
  if (name == "add_key") return kAddKey;
  if (name == "add_key_32") return kAddKey32;
  return std::string(name);
}

bool is_optional(const std::string& function) {
  // Kernels without programs of 32 bits, and those without security modules.
  return function == kAddKey32 || function == "security_key_free";
}

/// Whether libbpf has found no such function.
bool is_missing(int error) { return error == -ENOENT || error == -ESRCH; }

}  // namespace

class KeyPrograms::Loaded {
 public:
  Loaded() {
    libbpf_set_print(be_silent);
    skeleton_.reset(key_programs__open());
    if (!skeleton_) fail(errno, "opening the programs for keys");
    choose_functions();
    name_pid_namespace();
    if (const int error = key_programs__load(skeleton_.get()); error != 0) {
      fail(error, "loading programs into the kernel (BPF)");
    }
    if (const int error = key_programs__attach(skeleton_.get()); error != 0) {
      fail(error, "attaching programs to the kernel's functions for keys (fentry)");
    }
    ring_.reset(ring_buffer__new(bpf_map__fd(skeleton_->maps.facts), on_record, this, nullptr));
    if (!ring_) fail(errno, "the ring of the programs for keys");
  }

  [[nodiscard]] int fd() const { return bpf_map__fd(skeleton_->maps.facts); }
  void want(bool wanted) {
    std::atomic_ref(skeleton_->bss->wanted).store(wanted ? 1 : 0, std::memory_order_relaxed);
  }

  Taken take() {
    taken_ = {};
    ring_buffer__consume(ring_.get());
    // After the ring: who counts a loss has written what came before.
    const std::uint64_t lost = std::atomic_ref(skeleton_->bss->lost).load();
    taken_.lost = lost - lost_before_;
    lost_before_ = lost;
    return std::move(taken_);
  }

 private:
  struct DestroySkeleton {
    void operator()(key_programs* skeleton) const { key_programs__destroy(skeleton); }
  };
  struct FreeRing {
    void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
  };

  static int on_record(void* self, void* data, std::size_t size) {
    const auto deed = decode_key_fact({static_cast<const std::byte*>(data), size});
    if (deed) static_cast<Loaded*>(self)->taken_.deeds.push_back(*deed);
    return 0;
  }

  /// Has each program its function. libbpf looks for it among the kernel's types, all of which it
  /// reads, and keeps them for loading.
  void choose_functions() {
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, skeleton_->obj) {
      const std::string function = function_of(program);
      const int error = bpf_program__set_attach_target(program, 0, function.c_str());
      if (error == 0) continue;
      if (!is_missing(error) || !is_optional(function)) {
        fail(error, "finding " + function + "() in the kernel (/sys/kernel/btf/vmlinux)");
      }
      bpf_program__set_autoload(program, false);
    }
  }

  void name_pid_namespace() {
    struct stat space {};
    if (::stat("/proc/self/ns/pid", &space) != 0) return;  // processes have no numbers then
    skeleton_->rodata->namespace_device = space.st_dev;
    skeleton_->rodata->namespace_inode = space.st_ino;
  }

  std::unique_ptr<key_programs, DestroySkeleton> skeleton_;
  std::unique_ptr<ring_buffer, FreeRing> ring_;
  std::uint64_t lost_before_ = 0;
  Taken taken_;
};

KeyPrograms::KeyPrograms() : loaded_(std::make_unique<Loaded>()) {}
KeyPrograms::~KeyPrograms() = default;
void KeyPrograms::want(bool wanted) { loaded_->want(wanted); }
int KeyPrograms::fd() const { return loaded_->fd(); }
KeyPrograms::Taken KeyPrograms::take() { return loaded_->take(); }

}  // namespace watchq
