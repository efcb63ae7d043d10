// SPDX-License-Identifier: MIT
#include "dispatch/event_stream.h"

#include <utility>

namespace watchq {
namespace {

std::size_t weight_of(const EventStream::Item& item) {
  const auto* report = std::get_if<Report>(&item);
  return report != nullptr ? report->weight() : sizeof item;
}

}  // namespace

EventStream::EventStream(uid_t owner, std::size_t capacity, std::function<void()> on_news)
    : Recipient(owner), capacity_(capacity), on_news_(std::move(on_news)) {}

void EventStream::post(Record record, Record detail) {
  push(report_now(record, facts_of_detail(detail)));
}

void EventStream::post_facts(Record record, const Facts& facts) { push(report_now(record, facts)); }

void EventStream::lose() {
  ++lost_;
  auto* const last = items_.empty() ? nullptr : std::get_if<LossReport>(&items_.back());
  if (last == nullptr) {
    push(loss_now(1, LossReason::kernel));
  } else {
    ++last->count;
  }
}

void EventStream::push(Item item) {
  if (std::holds_alternative<Report>(item)) ++told_;
  weight_ += weight_of(item);
  items_.push_back(std::move(item));
  while (weight_ > capacity_ && items_.size() > 1) drop_oldest();
  on_news_();
}

void EventStream::drop_oldest() {
  const Item& oldest = items_.front();
  weight_ -= weight_of(oldest);
  if (const auto* loss = std::get_if<LossReport>(&oldest)) {
    dropped_ += loss->count;
  } else {
    ++dropped_;
    ++lost_;
  }
  items_.pop_front();
}

std::optional<EventStream::Item> EventStream::take() {
  if (dropped_ != 0) return loss_now(std::exchange(dropped_, 0), LossReason::slow_reader);
  if (items_.empty()) return std::nullopt;
  Item item = std::move(items_.front());
  items_.pop_front();
  weight_ -= weight_of(item);
  return item;
}

}  // namespace watchq
