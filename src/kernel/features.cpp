// SPDX-License-Identifier: MIT
#include "kernel/features.h"

#include <fcntl.h>
#include <linux/keyctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

#include "base/error.h"
#include "base/memfd.h"
#include "base/unique_fd.h"
#include "kernel/error_fanotify.h"
#include "kernel/fanotify.h"
#include "kernel/fuse_init.h"
#include "kernel/key_bpf.h"
#include "kernel/key_pipe.h"
#include "kernel/key_trace.h"
#include "kernel/mount_namespace_fd.h"
#include "kernel/mount_query.h"
#include "kernel/peer.h"
#include "kernel/quota_netlink.h"
#include "kernel/tracepoint.h"

namespace watchq {
namespace {

UniqueFd open_or_throw(const char* path, int flags) {
  UniqueFd fd(::open(path, flags | O_CLOEXEC));
  if (!fd.valid()) throw_errno(path);
  return fd;
}

UniqueFd own_namespace() { return open_or_throw("/proc/self/ns/mnt", O_RDONLY); }

void probe_mount_query() {
  const std::uint64_t space = mount_namespace_id(own_namespace().get());
  for (const std::uint64_t mount : list_mounts(space)) query_mount(mount, space, MountDetail::all);
}

void probe_keys() {
  if (::syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0) == -1 &&
      errno == ENOSYS) {
    throw_errno("keyctl");
  }
}

void probe_key_tracepoints() {
  std::vector<std::uint64_t> ids;
  for (const std::string& name : key_tracepoints()) ids.push_back(read_trace_format(name).id);
  static_cast<void>(Tracepoint(ids, 1));
}

struct Probe {
  const char* name;
  const char* purpose;
  void (*attempt)();
};

constexpr Probe kProbes[] = {
    {"fuse", "serving the files", [] { open_or_throw("/dev/fuse", O_RDWR); }},
    {"passthrough", "rings that client and daemon share (FUSE passthrough, Linux 6.9)",
     [] {
       if (!probe_fuse().passthrough) {
         throw std::runtime_error("the kernel does not offer it");
       }
     }},
    {"memfd-seals", "rings that no client can shrink",
     [] { size_and_seal_memfd(create_memfd("watchq-probe").get(), 4096); }},
    {"mount-events", "mounts, unmounts and moves as they happen (fanotify, Linux 6.15)",
     [] { open_mount_fanotify(own_namespace().get()); }},
    {"mount-query", "asking for one mount by its ID (statmount and listmount, Linux 6.11)",
     probe_mount_query},
    {"filesystem-errors", "errors that filesystems report (FAN_FS_ERROR, Linux 5.16)",
     [] { open_error_fanotify(); }},
    {"tracepoints", "errors that they do not report (perf)",
     [] { static_cast<void>(Tracepoint(read_trace_format("filemap/filemap_set_wb_err").id, 1)); }},
    {"quota-events", "quota limits that are hit (generic netlink)", [] { open_quota_socket(); }},
    {"keys", "looking at keys (keyctl)", probe_keys},
    {"key-queue", "what is done to keys (the kernel's own watch queue, Linux 5.8)",
     [] { KeyPipe().probe(); }},
    {"key-programs", "what is done to keys (BPF, Linux 5.17)",
     [] { static_cast<void>(KeyPrograms()); }},
    {"key-tracepoints", "what is done to keys (perf, of the system calls)", probe_key_tracepoints},
    {"mount-copies", "asking servers while holding no mount (open_tree)",
     [] {
       if (!UniqueFd(::open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)).valid()) {
         throw_errno("open_tree");
       }
     }},
    {"mountinfo", "noticing changed attributes", [] { open_mountinfo(own_namespace().get()); }},
    {"peer-files", "seeing what a client points to (/proc/PID/fd)",
     [] {
       const UniqueFd file = own_namespace();
       static_cast<void>(Peer(::gettid()).open_object(file.get()));
     }},
};

}  // namespace

std::vector<Feature> probe_features() {
  std::vector<Feature> features;
  for (const Probe& probe : kProbes) {
    Feature feature{probe.name, probe.purpose, {}};
    try {
      probe.attempt();
    } catch (const std::exception& error) {
      feature.missing = error.what();
    }
    features.push_back(std::move(feature));
  }
  return features;
}

std::vector<Ability> abilities(const std::vector<Feature>& features) {
  const auto has = [&](const char* name) {
    return std::any_of(features.begin(), features.end(), [&](const Feature& feature) {
      return feature.name == name && feature.missing.empty();
    });
  };
  const bool reported = has("filesystem-errors");
  const bool traced = has("tracepoints");
  const bool listed = has("mountinfo");
  return {
      {"ring", has("passthrough") ? "shared pages"
               : has("fuse")      ? "page cache"
                                  : ""},
      {"mounts", has("mount-events") ? "event"
                 : listed            ? "look when woken"
                                     : ""},
      {"attributes", listed ? "look when woken, else within 1 s" : ""},
      {"readonly", listed ? "look when woken, else within 1 s" : ""},
      {"errors", reported && traced ? "event"
                 : reported         ? "event, of ext4"
                 : traced           ? "event, of writes"
                                    : ""},
      {"space", listed ? "look within 1 s" : ""},
      {"quota", has("quota-events") ? "event" : ""},
      {"servers", has("mount-copies") ? "probe within 7 s" : ""},
      {"keys", has("key-queue")         ? "event (pipe)"
               : has("key-programs")    ? "event (bpf)"
               : has("key-tracepoints") ? "event (trace)"
               : has("keys")            ? "look within 1 s"
                                        : ""},
  };
}

}  // namespace watchq
