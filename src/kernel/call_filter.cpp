// SPDX-License-Identifier: MIT
// The system calls that serving takes.
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <memory>

#include "base/error.h"
#include "kernel/confinement.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WATCHQ_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define WATCHQ_SANITIZED 1
#endif
#endif

namespace watchq {
namespace {

/// What a C++ program with threads takes on any kernel, in whichever way glibc asks for it, and the
/// start of another.
constexpr int kRuntime[] = {SCMP_SYS(access),
                            SCMP_SYS(arch_prctl),
                            SCMP_SYS(brk),
                            SCMP_SYS(clock_getres),
                            SCMP_SYS(clock_gettime),
                            SCMP_SYS(clock_nanosleep),
                            SCMP_SYS(clone),
                            SCMP_SYS(clone3),
                            SCMP_SYS(close),
                            SCMP_SYS(close_range),
                            SCMP_SYS(dup),
                            SCMP_SYS(dup2),
                            SCMP_SYS(dup3),
                            SCMP_SYS(execve),
                            SCMP_SYS(exit),
                            SCMP_SYS(exit_group),
                            SCMP_SYS(faccessat),
                            SCMP_SYS(faccessat2),
                            SCMP_SYS(fadvise64),
                            SCMP_SYS(fcntl),
                            SCMP_SYS(fstat),
                            SCMP_SYS(futex),
                            SCMP_SYS(getcwd),
                            SCMP_SYS(getdents64),
                            SCMP_SYS(getegid),
                            SCMP_SYS(geteuid),
                            SCMP_SYS(getgid),
                            SCMP_SYS(getpgid),
                            SCMP_SYS(getpid),
                            SCMP_SYS(getppid),
                            SCMP_SYS(getrandom),
                            SCMP_SYS(getrlimit),
                            SCMP_SYS(getrusage),
                            SCMP_SYS(gettid),
                            SCMP_SYS(gettimeofday),
                            SCMP_SYS(getuid),
                            SCMP_SYS(kill),
                            SCMP_SYS(lseek),
                            SCMP_SYS(lstat),
                            SCMP_SYS(madvise),
                            SCMP_SYS(membarrier),
                            SCMP_SYS(mmap),
                            SCMP_SYS(mprotect),
                            SCMP_SYS(mremap),
                            SCMP_SYS(munmap),
                            SCMP_SYS(nanosleep),
                            SCMP_SYS(newfstatat),
                            SCMP_SYS(pipe),
                            SCMP_SYS(pipe2),
                            SCMP_SYS(prctl),
                            SCMP_SYS(pread64),
                            SCMP_SYS(preadv),
                            SCMP_SYS(prlimit64),
                            SCMP_SYS(read),
                            SCMP_SYS(readlink),
                            SCMP_SYS(readlinkat),
                            SCMP_SYS(readv),
                            SCMP_SYS(restart_syscall),
                            SCMP_SYS(rseq),
                            SCMP_SYS(rt_sigaction),
                            SCMP_SYS(rt_sigpending),
                            SCMP_SYS(rt_sigprocmask),
                            SCMP_SYS(rt_sigreturn),
                            SCMP_SYS(rt_sigtimedwait),
                            SCMP_SYS(sched_getaffinity),
                            SCMP_SYS(sched_yield),
                            SCMP_SYS(set_robust_list),
                            SCMP_SYS(set_tid_address),
                            SCMP_SYS(setpgid),
                            SCMP_SYS(setrlimit),
                            SCMP_SYS(sigaltstack),
                            SCMP_SYS(stat),
                            SCMP_SYS(statfs),
                            SCMP_SYS(statx),
                            SCMP_SYS(sysinfo),
                            SCMP_SYS(tgkill),
                            SCMP_SYS(time),
                            SCMP_SYS(uname),
                            SCMP_SYS(vfork),
                            SCMP_SYS(wait4),
                            SCMP_SYS(waitid),
                            SCMP_SYS(write),
                            SCMP_SYS(writev)};

/// The event loop, messages to probes and to the service manager, and the FUSE device.
constexpr int kServing[] = {
    SCMP_SYS(bind),          SCMP_SYS(connect),        SCMP_SYS(epoll_create),
    SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),      SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_pwait2),  SCMP_SYS(epoll_wait),     SCMP_SYS(eventfd2),
    SCMP_SYS(fallocate),     SCMP_SYS(getpeername),    SCMP_SYS(getsockname),
    SCMP_SYS(getsockopt),    SCMP_SYS(ioctl),          SCMP_SYS(memfd_create),
    SCMP_SYS(poll),          SCMP_SYS(ppoll),          SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),       SCMP_SYS(select),         SCMP_SYS(pselect6),
    SCMP_SYS(sendmsg),       SCMP_SYS(sendto),         SCMP_SYS(setsockopt),
    SCMP_SYS(shutdown),      SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime),
    SCMP_SYS(umount2)};

/// Looking at mounts, filesystems, quotas and clients.
constexpr int kLooking[] = {SCMP_SYS(chdir),
                            SCMP_SYS(fanotify_init),
                            SCMP_SYS(fanotify_mark),
                            SCMP_SYS(fsconfig),
                            SCMP_SYS(fsmount),
                            SCMP_SYS(fsopen),
                            SCMP_SYS(fstatfs),
                            SCMP_SYS(inotify_add_watch),
                            SCMP_SYS(inotify_init1),
                            SCMP_SYS(inotify_rm_watch),
                            SCMP_SYS(name_to_handle_at),
                            SCMP_SYS(open_by_handle_at),
                            SCMP_SYS(open_tree),
                            SCMP_SYS(openat2),
                            SCMP_SYS(perf_event_open),
                            SCMP_SYS(pidfd_getfd),
                            SCMP_SYS(pidfd_open),
                            SCMP_SYS(pidfd_send_signal),
                            SCMP_SYS(process_vm_readv),
                            SCMP_SYS(ustat),
                            457 /* statmount */,
                            458 /* listmount: the same everywhere, and newer than libseccomp */};

/// Being for a moment, or in a process of its own for good, who a client is.
constexpr int kBecoming[] = {SCMP_SYS(getgroups), SCMP_SYS(setfsgid),  SCMP_SYS(setfsuid),
                             SCMP_SYS(setgroups), SCMP_SYS(setresgid), SCMP_SYS(setresuid)};

/// Keys, as their clients see them, and the programs in the kernel that tell of them.
constexpr int kKeys[] = {SCMP_SYS(add_key), SCMP_SYS(bpf), SCMP_SYS(kcmp), SCMP_SYS(keyctl)};

struct Release {
  void operator()(void* context) const { ::seccomp_release(context); }
};
using Context = std::unique_ptr<void, Release>;

void check(int result, const char* what) {
  if (result < 0) throw std::system_error(-result, std::system_category(), what);
}

void allow(const Context& context, int call) {
  const int result = ::seccomp_rule_add(context.get(), SCMP_ACT_ALLOW, call, 0);
  // EDOM: this architecture has no such call.
  if (result != -EDOM) check(result, "seccomp_rule_add");
}

void allow_if(const Context& context, int call, const scmp_arg_cmp& is) {
  const int result = ::seccomp_rule_add_array(context.get(), SCMP_ACT_ALLOW, call, 1, &is);
  if (result != -EDOM) check(result, "seccomp_rule_add_array");
}

scmp_arg_cmp argument_is(unsigned int number, scmp_datum_t value) {
  return {number, SCMP_CMP_EQ, value, 0};
}

scmp_arg_cmp argument_lacks(unsigned int number, scmp_datum_t bits) {
  return {number, SCMP_CMP_MASKED_EQ, bits, 0};
}

void allow_opening_to_read(const Context& context) {
  constexpr scmp_datum_t kWrites = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND;
  allow_if(context, SCMP_SYS(open), argument_lacks(1, kWrites));
  allow_if(context, SCMP_SYS(openat), argument_lacks(2, kWrites));
}

#if defined(__x86_64__) || defined(__aarch64__)

/// Says which call was refused, and has it fail. Only what may be done in a signal handler.
void on_refused_call(int, siginfo_t* info, void* of) {
  constexpr std::string_view kBefore = "watchqd: system call ";
  constexpr std::string_view kAfter = " is not among those that serving takes: refused\n";
  std::array<char, 128> line{};
  char* end = std::copy(kBefore.begin(), kBefore.end(), line.data());
  end = std::to_chars(end, line.data() + line.size(), info->si_syscall).ptr;
  end = std::copy(kAfter.begin(), kAfter.end(), end);
  static_cast<void>(
      !::write(STDERR_FILENO, line.data(), static_cast<std::size_t>(end - line.data())));
  mcontext_t& context = static_cast<ucontext_t*>(of)->uc_mcontext;
#if defined(__x86_64__)
  context.gregs[REG_RAX] = -ENOSYS;
#else
  context.regs[0] = static_cast<unsigned long long>(-ENOSYS);
#endif
}

constexpr std::uint32_t kRefusal = SCMP_ACT_TRAP;

[[maybe_unused]] void say_what_is_refused() {
  struct sigaction action {};
  action.sa_sigaction = on_refused_call;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  if (::sigaction(SIGSYS, &action, nullptr) != 0) throw_errno("sigaction(SIGSYS)");
}

#else

constexpr std::uint32_t kRefusal = SCMP_ACT_ERRNO(ENOSYS);
[[maybe_unused]] void say_what_is_refused() {}

#endif

[[maybe_unused]] void load_filter() {
  const Context context(::seccomp_init(kRefusal));
  if (!context) throw std::system_error(ENOMEM, std::system_category(), "seccomp_init");
  check(::seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_TSYNC, 1), "seccomp for all threads");
  check(::seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_NNP, 0), "seccomp");
  check(::seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2), "seccomp as a tree");
  for (const int call : kRuntime) allow(context, call);
  for (const int call : kServing) allow(context, call);
  for (const int call : kLooking) allow(context, call);
  for (const int call : kBecoming) allow(context, call);
  for (const int call : kKeys) allow(context, call);
  allow_opening_to_read(context);
  for (const int family : {AF_UNIX, AF_NETLINK}) {
    allow_if(context, SCMP_SYS(socket), argument_is(0, static_cast<scmp_datum_t>(family)));
  }
  allow_if(context, SCMP_SYS(socketpair), argument_is(0, AF_UNIX));
  allow_if(context, SCMP_SYS(setns), argument_is(1, CLONE_NEWNS));
  allow_if(context, SCMP_SYS(unshare), argument_is(0, CLONE_FS));
  check(::seccomp_load(context.get()), "seccomp_load");
}

}  // namespace

void restrict_calls() {
#ifndef WATCHQ_SANITIZED
  say_what_is_refused();
  load_filter();
#endif
}

}  // namespace watchq
