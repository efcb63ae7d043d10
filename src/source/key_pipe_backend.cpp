// SPDX-License-Identifier: MIT
#include "source/key_pipe_backend.h"

#include <cerrno>
#include <system_error>

#include "source/key_deed_reader.h"

namespace watchq {

KeyPipeBackend::KeyPipeBackend(boost::asio::io_context& io, KeyBackendSink& sink)
    : sink_(sink), wake_(io, pipe_.fd()) {
  pipe_.probe();
  wait();
}

KeyPipeBackend::~KeyPipeBackend() { wake_.release(); }

void KeyPipeBackend::watch(KeySerial key, const KeyRights& rights,
                           const std::vector<KeySerial>& /*shown*/) {
  const BorrowedIds ids(rights);
  pipe_.watch(key);
  watched_[key] = rights;
}

void KeyPipeBackend::unwatch(KeySerial key) {
  const auto watched = watched_.extract(key);
  if (watched.empty()) return;
  try {
    const BorrowedIds ids(watched.mapped());
    pipe_.unwatch(key);
  } catch (const std::system_error&) {
    // It stays watched, for nobody, until it is gone.
  }
}

void KeyPipeBackend::wait() {
  wake_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                   [this](const boost::system::error_code& error) {
                     if (error) return;
                     take();
                     wait();
                   });
}

void KeyPipeBackend::take() {
  const KeyPipeTaken taken = pipe_.take();
  for (const KeyDeed& deed : taken.deeds) {
    if (deed.kind == KeyDeedKind::freed) watched_.erase(deed.key);
    tell_deed(sink_, deed);
  }
  if (taken.lost) sink_.on_key_loss();
}

}  // namespace watchq
