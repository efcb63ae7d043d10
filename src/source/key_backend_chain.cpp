// SPDX-License-Identifier: MIT
#include "source/key_backend_chain.h"

#include <exception>
#include <system_error>
#include <utility>

namespace watchq {

/// A backend, once it is made, and what it may tell.
class KeyBackendChain::Link final : public KeyBackendSink {
 public:
  Link(KeyBackendChain& chain, KeyBackendChoice choice)
      : chain_(chain), choice_(std::move(choice)) {}

  /// Null where it does not work here.
  KeyBackend* backend() {
    if (backend_ == nullptr && !failed_) {
      try {
        backend_ = choice_.make(chain_.io_, *this);
      } catch (const std::system_error&) {
        failed_ = true;
      }
    }
    return backend_.get();
  }
  void make() { backend_ = choice_.make(chain_.io_, *this); }
  [[nodiscard]] KeyBackend* made() const { return backend_.get(); }

  void on_key_event(const KeyEvent& event) override {
    if (is_mine(event.key)) chain_.sink_.on_key_event(event);
  }
  void on_key_gone(KeySerial key) override {
    if (is_mine(key)) chain_.sink_.on_key_gone(key);
  }
  void on_key_loss() override { chain_.sink_.on_key_loss(); }
  void on_key_doubt(const KeyEvent& guess) override { chain_.sink_.on_key_doubt(guess); }

 private:
  [[nodiscard]] bool is_mine(KeySerial key) const {
    const auto found = chain_.watched_.find(key);
    return found != chain_.watched_.end() && found->second == this;
  }

  KeyBackendChain& chain_;
  KeyBackendChoice choice_;
  std::unique_ptr<KeyBackend> backend_;
  bool failed_ = false;
};

KeyBackendChain::KeyBackendChain(boost::asio::io_context& io, KeyBackendSink& sink,
                                 std::vector<KeyBackendChoice> choices)
    : io_(io), sink_(sink) {
  for (KeyBackendChoice& choice : choices) {
    links_.push_back(std::make_unique<Link>(*this, std::move(choice)));
  }
  links_.front()->make();
}

KeyBackendChain::~KeyBackendChain() = default;

void KeyBackendChain::watch(KeySerial key, const KeyRights& rights,
                            const std::vector<KeySerial>& shown) {
  std::exception_ptr first;
  for (const auto& link : links_) {
    KeyBackend* backend = link->backend();
    if (backend == nullptr) continue;
    watched_[key] = link.get();
    try {
      return backend->watch(key, rights, shown);
    } catch (const std::system_error&) {
      if (first == nullptr) first = std::current_exception();
      watched_.erase(key);
    }
  }
  std::rethrow_exception(first);
}

void KeyBackendChain::unwatch(KeySerial key) {
  const auto watched = watched_.extract(key);
  if (!watched.empty()) watched.mapped()->made()->unwatch(key);
}

void KeyBackendChain::sync() {
  for (const auto& link : links_) {
    if (link->made() != nullptr) link->made()->sync();
  }
}

}  // namespace watchq
