// SPDX-License-Identifier: MIT
#include "base/user_limit.h"

#include <utility>

#include "base/error.h"

namespace watchq {

UserLimit::Share::Share(Share&& other) noexcept
    : limit_(std::exchange(other.limit_, nullptr)), user_(other.user_), amount_(other.amount_) {}

UserLimit::Share& UserLimit::Share::operator=(Share&& other) noexcept {
  std::swap(limit_, other.limit_);
  std::swap(user_, other.user_);
  std::swap(amount_, other.amount_);
  return *this;
}

UserLimit::Share::~Share() {
  if (limit_ != nullptr) limit_->give_back(user_, amount_);
}

bool UserLimit::Most::allows(std::uint64_t has, std::uint64_t all, std::uint64_t more) const {
  constexpr std::uint64_t kLittle = 64;
  const auto fits = [more](std::uint64_t held, std::uint64_t limit) {
    return held <= limit && more <= limit - held;
  };
  if (!fits(has, per_user) || !fits(all, in_all)) return false;
  const bool is_crowded = per_user >= kLittle && !fits(all, in_all - in_all / 4);
  return !is_crowded || fits(has, per_user / kLittle);
}

UserLimit::Share UserLimit::take(uid_t user, std::uint64_t amount) {
  const auto known = users_.find(user);
  const std::uint64_t holds = known == users_.end() ? 0 : known->second.held;
  if (!most_.allows(holds, held_, amount)) {
    // Whoever holds nothing is refused because of others, about whom there was news.
    const bool is_news = known != users_.end() && !std::exchange(known->second.refused, true);
    refuse(user, is_news);
  }
  users_[user].held += amount;
  held_ += amount;
  return {*this, user, amount};
}

void UserLimit::refuse(uid_t user, bool is_news) {
  ++refusals_;
  if (is_news) on_refusal_(user, most_);
  throw RequestError(error_, "a limit is reached");
}

void UserLimit::give_back(uid_t user, std::uint64_t amount) {
  const auto holder = users_.find(user);
  holder->second.held -= amount;
  holder->second.refused = false;
  held_ -= amount;
  if (holder->second.held == 0) users_.erase(holder);
}

}  // namespace watchq
