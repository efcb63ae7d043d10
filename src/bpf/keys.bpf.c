// SPDX-License-Identifier: MIT
// What the kernel does to keys, seen where it does it: where functions of one file are called from
// another, since no compiler has inlined those calls. What keyctl(2) does itself is seen by the key
// that such a call looks up.
#include <linux/bpf.h>
// bpf_helpers.h takes the types of the former.
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "key_fact.h"

// Of the kernel's structures only what is read here; where it stands, libbpf finds out (CO-RE).
#define FROM_KERNEL __attribute__((preserve_access_index))

struct key {
  int serial;
  unsigned long flags;
} FROM_KERNEL;

enum { kRevoked = 1, kInvalidated = 5 };  // bits of key.flags: KEY_FLAG_* of linux/key.h

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 20);
} facts SEC(".maps");

/// A thread in a call that a key is found out of meanwhile.
struct call {
  int key;
};

struct calls {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 8192);
  __type(key, __u64);
  __type(value, struct call);
};
struct calls calls SEC(".maps");     // of system calls
struct calls linkings SEC(".maps");  // of key_link() and key_move(), which may be within those

// The pid namespace that processes are named in.
const volatile __u64 namespace_device = 0;
const volatile __u64 namespace_inode = 0;

int wanted = 0;          // nothing is told while 0
unsigned long lost = 0;  // facts that found no room

static int serial_of(const struct key* key) { return BPF_CORE_READ(key, serial); }

/// The low bit of a reference to a key says whether the key is possessed. References are of a type
/// that only helpers read from the context of a program.
static struct key* key_of(__u64 reference) { return (struct key*)(reference & ~1ULL); }

static struct key* first_argument(const __u64* context) {
  __u64 reference = 0;
  bpf_get_func_arg((void*)context, 0, &reference);
  return key_of(reference);
}

static int is_error(__u64 pointer) { return pointer >= (__u64)-4095; }

static void tell(enum WatchqKeyFactKind kind, int key, int aux) {
  if (!wanted) return;
  struct WatchqKeyFact* fact = bpf_ringbuf_reserve(&facts, sizeof *fact, 0);
  if (!fact) {
    __sync_fetch_and_add(&lost, 1);
    return;
  }
  struct bpf_pidns_info who = {};
  if (bpf_get_ns_current_pid_tgid(namespace_device, namespace_inode, &who, sizeof who) != 0) {
    who.tgid = 0;
  }
  fact->kind = kind;
  fact->key = key;
  fact->aux = aux;
  fact->pid = who.tgid;
  bpf_ringbuf_submit(fact, 0);
}

static void begin_call(void* in) {
  const __u64 thread = bpf_get_current_pid_tgid();
  const struct call call = {};
  if (wanted) bpf_map_update_elem(in, &thread, &call, BPF_ANY);
}

/// Returns 0 when the thread is in no such call.
static int note_key(void* in, int key) {
  const __u64 thread = bpf_get_current_pid_tgid();
  struct call* call = bpf_map_lookup_elem(in, &thread);
  if (!call) return 0;
  call->key = key;
  return 1;
}

/// The key of the call that ends, 0 for none. Returns 0 when the thread is in no such call.
static int end_call(void* in, int* key) {
  const __u64 thread = bpf_get_current_pid_tgid();
  struct call* call = bpf_map_lookup_elem(in, &thread);
  if (!call) return 0;
  *key = call->key;
  bpf_map_delete_elem(in, &thread);
  return 1;
}

// Links. key_link() and key_move() may call __key_link() or have it within themselves: they tell of
// their links.

SEC("fentry/__key_link")
int BPF_PROG(linked, struct key* keyring, struct key* key) {
  if (!wanted) return 0;
  note_key(&calls, serial_of(key));
  if (!note_key(&linkings, serial_of(key))) {
    tell(WATCHQ_KEY_LINKED, serial_of(keyring), serial_of(key));
  }
  return 0;
}

static int end_linking(long result) {
  int key = 0;
  return end_call(&linkings, &key) && result == 0;
}

SEC("fentry/key_link")
int BPF_PROG(link_begins) {
  begin_call(&linkings);
  return 0;
}

SEC("fexit/key_link")
int BPF_PROG(link_ends, struct key* keyring, struct key* key, int result) {
  if (end_linking(result)) tell(WATCHQ_KEY_LINKED, serial_of(keyring), serial_of(key));
  return 0;
}

SEC("fentry/key_move")
int BPF_PROG(move_begins) {
  begin_call(&linkings);
  return 0;
}

SEC("fexit/key_move")
int BPF_PROG(move_ends, struct key* key, struct key* from, struct key* to, unsigned int flags,
             int result) {
  // From a keyring into itself it succeeds and does nothing.
  if (!end_linking(result) || from == to) return 0;
  tell(WATCHQ_KEY_UNLINKED, serial_of(from), serial_of(key));
  tell(WATCHQ_KEY_LINKED, serial_of(to), serial_of(key));
  return 0;
}

SEC("fexit/key_unlink")
int BPF_PROG(unlinked, struct key* keyring, struct key* key, int result) {
  if (result == 0) tell(WATCHQ_KEY_UNLINKED, serial_of(keyring), serial_of(key));
  return 0;
}

SEC("fexit/keyring_clear")
int BPF_PROG(keyring_cleared, struct key* keyring, int result) {
  if (result == 0) tell(WATCHQ_KEY_CLEARED, serial_of(keyring), 0);
  return 0;
}

// What becomes of a key.

SEC("fexit/key_instantiate_and_link")
int BPF_PROG(key_instantiated, struct key* key, const void* data, unsigned long size,
             struct key* keyring, struct key* authority, int result) {
  if (result == 0) tell(WATCHQ_KEY_INSTANTIATED, serial_of(key), 0);
  return 0;
}

SEC("fexit/key_reject_and_link")
int BPF_PROG(key_rejected, struct key* key, unsigned int timeout, unsigned int error,
             struct key* keyring, struct key* authority, int result) {
  if (result == 0) tell(WATCHQ_KEY_INSTANTIATED, serial_of(key), (int)error);
  return 0;
}

SEC("fexit/key_update")
int BPF_PROG(key_updated, void* reference, const void* payload, unsigned long size, int result) {
  if (result == 0) tell(WATCHQ_KEY_UPDATED, serial_of(first_argument(ctx)), 0);
  return 0;
}

// key_revoke() and key_invalidate() do it once only.

SEC("fentry/key_revoke")
int BPF_PROG(key_revoked, struct key* key) {
  if (!(BPF_CORE_READ(key, flags) & 1UL << kRevoked)) tell(WATCHQ_KEY_REVOKED, serial_of(key), 0);
  return 0;
}

SEC("fentry/key_invalidate")
int BPF_PROG(key_invalidated, struct key* key) {
  if (!(BPF_CORE_READ(key, flags) & 1UL << kInvalidated)) {
    tell(WATCHQ_KEY_INVALIDATED, serial_of(key), 0);
  }
  return 0;
}

SEC("fexit/key_set_timeout")
int BPF_PROG(key_timeout_set, struct key* key) {
  tell(WATCHQ_KEY_SETATTR, serial_of(key), 0);
  return 0;
}

SEC("fexit/keyring_restrict")
int BPF_PROG(keyring_restricted, void* reference, const char* type, const char* restriction,
             int result) {
  if (result == 0) tell(WATCHQ_KEY_SETATTR, serial_of(first_argument(ctx)), 0);
  return 0;
}

SEC("fentry/security_key_free")
int BPF_PROG(key_freed, struct key* key) {
  tell(WATCHQ_KEY_FREED, serial_of(key), 0);
  return 0;
}

// Calls that look their key up themselves.

SEC("fexit/lookup_user_key")
int key_looked_up(const __u64* context) {
  __u64 reference = 0;
  if (!wanted || bpf_get_func_ret((void*)context, &reference) != 0) return 0;
  if (!is_error(reference)) note_key(&calls, serial_of(key_of(reference)));
  return 0;
}

static void end_setting(long result) {
  int key = 0;
  if (end_call(&calls, &key) && result == 0 && key) tell(WATCHQ_KEY_SETATTR, key, 0);
}

SEC("fentry/keyctl_setperm_key")
int BPF_PROG(setperm_begins) {
  begin_call(&calls);
  return 0;
}

SEC("fexit/keyctl_setperm_key")
int BPF_PROG(setperm_ends, int id, unsigned int permissions, long result) {
  end_setting(result);
  return 0;
}

SEC("fentry/keyctl_chown_key")
int BPF_PROG(chown_begins, int id, unsigned int user, unsigned int group) {
  // With neither it succeeds and does nothing.
  if (user != (unsigned int)-1 || group != (unsigned int)-1) begin_call(&calls);
  return 0;
}

SEC("fexit/keyctl_chown_key")
int BPF_PROG(chown_ends, int id, unsigned int user, unsigned int group, long result) {
  end_setting(result);
  return 0;
}

// add_key(2) updates the key that it gives back, unless it has just linked it. Its callers in the
// kernel do not pass here; those make keys for themselves.

static void end_adding(long result) {
  int key = 0;
  if (end_call(&calls, &key) && result > 0 && key != (int)result)
    tell(WATCHQ_KEY_UPDATED, (int)result, 0);
}

SEC("fentry/add_key")
int BPF_PROG(add_key_begins) {
  begin_call(&calls);
  return 0;
}

SEC("fexit/add_key")
int BPF_PROG(add_key_ends, const void* registers, long result) {
  end_adding(result);
  return 0;
}

SEC("fentry/add_key_32")
int BPF_PROG(add_key_32_begins) {
  begin_call(&calls);
  return 0;
}

SEC("fexit/add_key_32")
int BPF_PROG(add_key_32_ends, const void* registers, long result) {
  end_adding(result);
  return 0;
}

// The kernel lets programs read its memory that come under the GPL as well.
const char license_of_programs[] SEC("license") = "Dual MIT/GPL";
