// SPDX-License-Identifier: MIT
#include "kernel/key_trace.h"

#include <linux/keyctl.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace watchq {
namespace {

/// Threads that are in a call on keys at a time: more were forgotten by mistake.
constexpr std::size_t kMostBegun = 65536;

struct Traced {
  const char* name;
  KeySystemCall call;
  std::vector<const char*> arguments;  // as the tracepoint's format names them
};

const std::vector<Traced>& traced() {
  static const std::vector<Traced> kTraced = {
      {"add_key", KeySystemCall::add_key, {"_type", "_description", "_payload", "plen", "ringid"}},
      {"request_key",
       KeySystemCall::request_key,
       {"_type", "_description", "_callout_info", "destringid"}},
      {"keyctl", KeySystemCall::keyctl, {"option", "arg2", "arg3", "arg4", "arg5"}},
  };
  return kTraced;
}

TraceField field_of(const TraceFormat& format, const std::string& tracepoint, const char* name) {
  const auto found = format.fields.find(name);
  if (found != format.fields.end()) return found->second;
  throw std::system_error(EBADMSG, std::system_category(),
                          "format of " + tracepoint + ": no field " + name);
}

/// Makes the deeds of one call.
class Deeds {
 public:
  explicit Deeds(const KeyCall& call) : call_(call) {}

  void add(KeyDeedKind kind, std::uint64_t key, std::uint64_t aux = 0) {
    const auto number = [](std::uint64_t argument) {
      return static_cast<std::int32_t>(static_cast<std::uint32_t>(argument));
    };
    deeds_.push_back({kind, number(key), number(aux), call_.process, call_.thread, call_.began});
  }
  /// A link that a call makes beside what else it does: to no keyring when it names none.
  void link(std::uint64_t keyring, std::uint64_t key) {
    if (static_cast<std::uint32_t>(keyring) != 0) add(KeyDeedKind::linked, keyring, key);
  }
  std::vector<KeyDeed> take() { return std::move(deeds_); }

 private:
  const KeyCall& call_;
  std::vector<KeyDeed> deeds_;
};

void of_request_key(const KeyCall& call, Deeds& deeds) {
  const std::uint64_t callout = call.arguments[2];
  const std::uint64_t keyring = call.arguments[3];
  if (call.result > 0) deeds.link(keyring, static_cast<std::uint64_t>(call.result));
  // A key that had to be made first is linked where the thread wants such keys, and it stays linked
  // as a negative one when nobody could make it.
  if (callout != 0 && (call.result <= 0 || keyring == 0)) deeds.add(KeyDeedKind::uncertain, 0);
}

void of_move(const KeyCall& call, Deeds& deeds) {
  const auto [operation, key, from, to, flags] = call.arguments;
  if (static_cast<std::uint32_t>(from) == static_cast<std::uint32_t>(to)) return;
  deeds.add(KeyDeedKind::unlinked, from, key);
  deeds.add(KeyDeedKind::linked, to, key);
}

/// What an operation does to the key that it names first, and nothing besides.
std::optional<KeyDeedKind> done_to_first(std::uint32_t operation) {
  switch (operation) {
    case KEYCTL_UPDATE:
      return KeyDeedKind::updated;
    case KEYCTL_REVOKE:
      return KeyDeedKind::revoked;
    case KEYCTL_INVALIDATE:
      return KeyDeedKind::invalidated;
    case KEYCTL_CLEAR:
      return KeyDeedKind::cleared;
    case KEYCTL_CHOWN:
    case KEYCTL_SETPERM:
    case KEYCTL_SET_TIMEOUT:
    case KEYCTL_RESTRICT_KEYRING:
      return KeyDeedKind::setattr;
    default:
      return std::nullopt;
  }
}

/// Of keys that were requested and are made by a program.
void of_instantiation(const KeyCall& call, Deeds& deeds) {
  const auto [operation, key, second, third, fourth] = call.arguments;
  const bool negated = operation == KEYCTL_NEGATE;
  const std::uint64_t error = negated ? ENOKEY : operation == KEYCTL_REJECT ? third : 0;
  deeds.add(KeyDeedKind::instantiated, key, error);
  deeds.link(negated ? third : fourth, key);
}

bool changes_no_owner(const KeyCall& call) {
  constexpr std::uint32_t kUnchanged = UINT32_MAX;
  return static_cast<std::uint32_t>(call.arguments[2]) == kUnchanged &&
         static_cast<std::uint32_t>(call.arguments[3]) == kUnchanged;
}

void of_keyctl(const KeyCall& call, Deeds& deeds) {
  const auto [option, first, second, third, fourth] = call.arguments;
  const auto operation = static_cast<std::uint32_t>(option);
  const auto result = static_cast<std::uint64_t>(call.result);
  if (const auto kind = done_to_first(operation)) {
    // To change neither owner nor group succeeds, and does nothing.
    if (operation != KEYCTL_CHOWN || !changes_no_owner(call)) deeds.add(*kind, first);
    return;
  }
  switch (operation) {
    case KEYCTL_GET_KEYRING_ID:
      if (static_cast<std::int32_t>(first) < 0) deeds.add(KeyDeedKind::named, first, result);
      return;
    case KEYCTL_JOIN_SESSION_KEYRING:
      return deeds.add(KeyDeedKind::named, static_cast<std::uint64_t>(KEY_SPEC_SESSION_KEYRING),
                       result);
    case KEYCTL_LINK:
      return deeds.add(KeyDeedKind::linked, second, first);
    case KEYCTL_UNLINK:
      return deeds.add(KeyDeedKind::unlinked, second, first);
    case KEYCTL_MOVE:
      return of_move(call, deeds);
    case KEYCTL_SEARCH:
      return deeds.link(fourth, result);
    case KEYCTL_GET_PERSISTENT:
      return deeds.link(second, result);
    case KEYCTL_INSTANTIATE:
    case KEYCTL_INSTANTIATE_IOV:
    case KEYCTL_NEGATE:
    case KEYCTL_REJECT:
      return of_instantiation(call, deeds);
    default:
      return;  // it changes no key
  }
}

}  // namespace

std::vector<std::string> key_tracepoints() {
  std::vector<std::string> names;
  for (const Traced& call : traced()) {
    names.push_back(std::string("syscalls/sys_enter_") + call.name);
    names.push_back(std::string("syscalls/sys_exit_") + call.name);
  }
  return names;
}

void KeyCalls::add_format(const std::string& tracepoint, const TraceFormat& format) {
  for (const Traced& call : traced()) {
    const std::string enter = std::string("syscalls/sys_enter_") + call.name;
    const std::string exit = std::string("syscalls/sys_exit_") + call.name;
    if (tracepoint != enter && tracepoint != exit) continue;
    id_field_ = field_of(format, tracepoint, "common_type");
    Point point{call.call, tracepoint == enter, {}};
    if (point.enters) {
      for (const char* name : call.arguments) {
        point.numbers.push_back(field_of(format, tracepoint, name));
      }
    } else {
      point.numbers.push_back(field_of(format, tracepoint, "ret"));
    }
    points_[format.id] = std::move(point);
  }
}

std::optional<KeyCall> KeyCalls::add(const TraceSample& sample) {
  const auto found = points_.find(trace_number(sample.raw, id_field_));
  if (found == points_.end()) return std::nullopt;
  const Point& point = found->second;
  if (point.enters) {
    if (begun_.size() >= kMostBegun) begun_.clear();
    KeyCall& call = begun_[sample.thread] = {};
    call.call = point.call;
    call.began = sample.time;
    call.process = sample.process;
    call.thread = sample.thread;
    for (std::size_t at = 0; at < point.numbers.size(); ++at) {
      call.arguments.at(at) = trace_number(sample.raw, point.numbers[at]);
    }
    return std::nullopt;
  }
  const auto begun = begun_.extract(sample.thread);
  if (begun.empty() || begun.mapped().call != point.call) return std::nullopt;
  KeyCall call = begun.mapped();
  call.result = static_cast<std::int64_t>(trace_number(sample.raw, point.numbers.front()));
  return call;
}

std::vector<KeyDeed> key_deeds(const KeyCall& call) {
  Deeds deeds(call);
  if (call.call == KeySystemCall::request_key) {
    of_request_key(call, deeds);
  } else if (call.result < 0) {
    return {};
  } else if (call.call == KeySystemCall::add_key) {
    deeds.add(KeyDeedKind::added, call.arguments[4], static_cast<std::uint64_t>(call.result));
  } else {
    of_keyctl(call, deeds);
  }
  return deeds.take();
}

}  // namespace watchq
