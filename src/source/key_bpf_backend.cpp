// SPDX-License-Identifier: MIT
#include "source/key_bpf_backend.h"

#include "source/key_deed_reader.h"

namespace watchq {

KeyBpfBackend::KeyBpfBackend(boost::asio::io_context& io, KeyBackendSink& sink)
    : sink_(sink), wake_(io, programs_.fd()) {
  wait();
}

KeyBpfBackend::~KeyBpfBackend() { wake_.release(); }

void KeyBpfBackend::watch(KeySerial key, const KeyRights& /*rights*/,
                          const std::vector<KeySerial>& /*shown*/) {
  watched_.insert(key);
  programs_.want(true);
}

void KeyBpfBackend::unwatch(KeySerial key) {
  watched_.erase(key);
  if (watched_.empty()) programs_.want(false);
}

void KeyBpfBackend::wait() {
  wake_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                   [this](const boost::system::error_code& error) {
                     if (error) return;
                     take();
                     wait();
                   });
}

void KeyBpfBackend::take() {
  const KeyPrograms::Taken taken = programs_.take();
  for (const KeyDeed& deed : taken.deeds) tell_deed(sink_, deed);
  if (taken.lost != 0) sink_.on_key_loss();
}

}  // namespace watchq
