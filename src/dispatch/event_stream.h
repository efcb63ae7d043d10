// SPDX-License-Identifier: MIT
// EventStream: what one open file of `events` has still to be told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <variant>

#include "queue/recipient.h"
#include "report/report.h"

namespace watchq {

/// Keeps events until they are taken, up to so much memory: then the oldest are lost, and counted.
/// One thread.
class EventStream final : public Recipient {
 public:
  /// `capacity` is in bytes, as Report::weight() counts them; the newest event is always kept.
  /// `on_news` is called after each event that came; it may not call back.
  EventStream(uid_t owner, std::size_t capacity, std::function<void()> on_news);

  void post(Record record, Record detail) override;
  using Recipient::post;
  /// Without effect: it has no snapshots, whose marker this would be.
  void post_unfiltered(Record /*record*/) override {}
  void lose() override;
  void count_losses() override {}
  [[nodiscard]] bool wants_facts() const override { return true; }
  void post_facts(Record record, const Facts& facts) override;

  /// An event, or that some were lost before the next.
  using Item = std::variant<Report, LossReport>;
  /// Takes the oldest; nothing when there is none.
  std::optional<Item> take();
  [[nodiscard]] bool empty() const { return items_.empty() && dropped_ == 0; }

  /// Events that came, and those of them that were dropped, since the start.
  [[nodiscard]] std::uint64_t told() const { return told_; }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  /// Bytes that are kept.
  [[nodiscard]] std::size_t weight() const { return weight_; }

 private:
  void push(Item item);
  void drop_oldest();

  const std::size_t capacity_;
  const std::function<void()> on_news_;
  std::deque<Item> items_;
  std::size_t weight_ = 0;
  std::uint64_t dropped_ = 0;  // before the first of the items, and not told yet
  std::uint64_t told_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace watchq
