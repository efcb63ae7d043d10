// SPDX-License-Identifier: MIT
// Recipient: who is told what watches see.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <span>

namespace watchq {

struct Facts;

/// A queue, or a stream of events in words. On the serving thread.
class Recipient {
 public:
  using Record = std::span<const std::byte>;

  /// `owner` is the user whom it serves.
  explicit Recipient(uid_t owner) : owner_(owner) {}
  Recipient(const Recipient&) = delete;
  Recipient& operator=(const Recipient&) = delete;

  [[nodiscard]] uid_t owner() const { return owner_; }

  /// Tells one finished record and, where there is one, the record that explains it.
  virtual void post(Record record, Record detail) = 0;
  void post(Record record) { post(record, Record()); }
  /// The same of what no filter has a say in.
  virtual void post_unfiltered(Record record) = 0;
  /// Something was missed that never became a record.
  virtual void lose() = 0;
  /// From now on it wants to know how many records it has lost.
  virtual void count_losses() = 0;

  /// For many records in a row: as long as this lives, they may be shown some at a time.
  class Burst {
   public:
    explicit Burst(Recipient& recipient) : recipient_(recipient) { recipient_.begin_burst(); }
    Burst(const Burst&) = delete;
    Burst& operator=(const Burst&) = delete;
    ~Burst() { recipient_.end_burst(); }

   private:
    Recipient& recipient_;
  };

  /// Whether it is to be told of events by post_facts(), in place of post().
  [[nodiscard]] virtual bool wants_facts() const { return false; }
  virtual void post_facts(Record /*record*/, const Facts& /*facts*/) {}

 protected:
  ~Recipient() = default;

 private:
  virtual void begin_burst() {}
  virtual void end_burst() {}

  const uid_t owner_;
};

}  // namespace watchq
