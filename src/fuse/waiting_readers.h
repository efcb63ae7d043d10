// SPDX-License-Identifier: MIT
// WaitingReaders: the read(2) calls on a file that has nothing for them yet.
#pragma once

#include <cstddef>
#include <list>

#include "base/error.h"
#include "fuse/api.h"

namespace watchq {

/// Answers each once: with what came, with EINTR when its caller stops waiting, with ENOTCONN when
/// this goes. On the serving thread, and never moved.
class WaitingReaders {
 public:
  struct Reader {
    fuse_req_t request;
    std::size_t size;  ///< bytes that it takes at most
    off_t offset = 0;  ///< where in the file it reads
  };

  WaitingReaders() = default;
  ~WaitingReaders();
  WaitingReaders(const WaitingReaders&) = delete;
  WaitingReaders& operator=(const WaitingReaders&) = delete;

  /// Takes a request over, or throws RequestError(EINTR).
  void add(const Reader& reader);
  [[nodiscard]] bool empty() const { return readers_.empty(); }

  /// Answers one after the other with what `take` gives for a Reader: bytes, or none when there is
  /// nothing any more. What it throws is the answer too.
  template <typename Take>
  void serve(Take take) {
    while (!readers_.empty()) {
      const Reader reader = readers_.front();
      try {
        const auto bytes = take(reader);
        if (bytes.empty()) return;
        readers_.pop_front();
        fuse_reply_buf(reader.request, reinterpret_cast<const char*>(bytes.data()), bytes.size());
      } catch (const RequestError& error) {
        readers_.pop_front();
        fuse_reply_err(reader.request, error.error());
      }
    }
  }

 private:
  static void interrupted(fuse_req_t request, void* self);

  std::list<Reader> readers_;  // who came first is first
};

}  // namespace watchq
