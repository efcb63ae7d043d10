// SPDX-License-Identifier: MIT
// UserLimit: how much of something each user may hold, and all users together.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>

namespace watchq {

/// Counts what users hold of one thing. One thread.
///
/// A few who hold all that they may would leave nothing to others. So of what all together may hold
/// the last quarter is for those who hold little: up to a 64th of a user's own limit. Limits of
/// less than 64 for a user are what they say.
class UserLimit {
 public:
  struct Most {
    std::uint64_t per_user;
    std::uint64_t in_all;

    bool operator==(const Most&) const = default;
    /// Whether a user who holds `has` may have `more`, when all together hold `all`.
    [[nodiscard]] bool allows(std::uint64_t has, std::uint64_t all, std::uint64_t more) const;
  };

  /// What a user holds; given back when it goes. Move-only; may be empty.
  class Share {
   public:
    Share() = default;
    Share(Share&& other) noexcept;
    Share& operator=(Share&& other) noexcept;
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share();

   private:
    friend class UserLimit;
    Share(UserLimit& limit, uid_t user, std::uint64_t amount)
        : limit_(&limit), user_(user), amount_(amount) {}

    UserLimit* limit_ = nullptr;
    uid_t user_ = 0;
    std::uint64_t amount_ = 0;
  };

  using OnRefusal = std::function<void(uid_t, const Most&)>;

  /// `error` is the errno of a refusal. `on_refusal` is called with the user for the first refusal
  /// since the user last gave something back: a user who keeps asking is no news.
  UserLimit(Most most, int error, OnRefusal on_refusal)
      : most_(most), error_(error), on_refusal_(std::move(on_refusal)) {}

  /// Gives a user a share, which this must outlive. Throws RequestError of the errno above when the
  /// user, or all users together, would then hold too much.
  [[nodiscard]] Share take(uid_t user, std::uint64_t amount);

  /// The same, for what is copied.
  [[nodiscard]] std::shared_ptr<const Share> share(uid_t user, std::uint64_t amount) {
    return std::make_shared<const Share>(take(user, amount));
  }

  [[nodiscard]] const Most& most() const { return most_; }
  /// What is held already stays held, also where that is more than the new limit.
  void set_most(Most most) { most_ = most; }
  [[nodiscard]] std::uint64_t held() const { return held_; }
  /// How often something was refused.
  [[nodiscard]] std::uint64_t refusals() const { return refusals_; }

 private:
  struct User {
    std::uint64_t held = 0;
    bool refused = false;
  };

  void refuse(uid_t user, bool is_news);
  void give_back(uid_t user, std::uint64_t amount);

  Most most_;
  const int error_;
  const OnRefusal on_refusal_;
  std::unordered_map<uid_t, User> users_;  // who hold something
  std::uint64_t held_ = 0;
  std::uint64_t refusals_ = 0;
};

}  // namespace watchq
