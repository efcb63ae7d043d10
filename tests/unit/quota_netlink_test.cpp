// SPDX-License-Identifier: MIT
// Messages as quota_send_warning() of fs/quota/netlink.c writes them, and what others might send.
#include "kernel/quota_netlink.h"

#include <gtest/gtest.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/quota.h>

#include <cstring>

namespace watchq {
namespace {

constexpr int kFamily = 0x1c;

class Message {
 public:
  explicit Message(int family = kFamily, std::uint8_t command = QUOTA_NL_C_WARNING)
      : header_{0, static_cast<std::uint16_t>(family), 0, 1, 0} {
    const genlmsghdr generic{command, 1, 0};
    bytes_.resize(NLMSG_HDRLEN);
    append(&generic, sizeof generic);
  }

  template <typename Number>
  Message& with(int type, Number number) {
    const nlattr attribute{static_cast<std::uint16_t>(NLA_HDRLEN + sizeof number),
                           static_cast<std::uint16_t>(type)};
    append(&attribute, sizeof attribute);
    append(&number, sizeof number);
    return *this;
  }

  [[nodiscard]] std::vector<std::byte> bytes() const {
    std::vector<std::byte> bytes = bytes_;
    nlmsghdr header = header_;
    header.nlmsg_len = static_cast<std::uint32_t>(bytes.size());
    std::memcpy(bytes.data(), &header, sizeof header);
    return bytes;
  }

 private:
  void append(const void* data, std::size_t size) {
    const auto* begin = static_cast<const std::byte*>(data);
    bytes_.insert(bytes_.end(), begin, begin + size);
    bytes_.resize(NLMSG_ALIGN(bytes_.size()));
  }

  nlmsghdr header_;
  std::vector<std::byte> bytes_;
};

Message warning(std::uint32_t what = QUOTA_NL_BHARDWARN) {
  return Message()
      .with<std::uint32_t>(QUOTA_NL_A_QTYPE, USRQUOTA)
      .with<std::uint64_t>(QUOTA_NL_A_EXCESS_ID, 1000)
      .with<std::uint32_t>(QUOTA_NL_A_WARNING, what)
      .with<std::uint32_t>(QUOTA_NL_A_DEV_MAJOR, 7)
      .with<std::uint32_t>(QUOTA_NL_A_DEV_MINOR, 300)
      .with<std::uint64_t>(QUOTA_NL_A_CAUSED_ID, 0);
}

const QuotaWarning kWarning{USRQUOTA, 1000, QUOTA_NL_BHARDWARN, 7, 300, 0};

using Warnings = std::vector<QuotaWarning>;

TEST(QuotaNetlink, DecodesAWarning) {
  EXPECT_EQ(decode_quota(warning().bytes(), kFamily), Warnings{kWarning});
}

TEST(QuotaNetlink, DecodesAllOfOneRead) {
  std::vector<std::byte> bytes = warning().bytes();
  const std::vector<std::byte> more = warning(QUOTA_NL_ISOFTLONGWARN).bytes();
  bytes.insert(bytes.end(), more.begin(), more.end());
  QuotaWarning second = kWarning;
  second.warning = QUOTA_NL_ISOFTLONGWARN;
  EXPECT_EQ(decode_quota(bytes, kFamily), (Warnings{kWarning, second}));
}

TEST(QuotaNetlink, LeavesOutWhatIsNoWarning) {
  EXPECT_EQ(decode_quota({}, kFamily), Warnings());
  EXPECT_EQ(decode_quota(warning().bytes(), kFamily + 1), Warnings());
  EXPECT_EQ(decode_quota(Message(NLMSG_ERROR).bytes(), kFamily), Warnings());
  EXPECT_EQ(decode_quota(Message(kFamily, 9).bytes(), kFamily), Warnings());
}

TEST(QuotaNetlink, LeavesOutAWarningThatLacksSomething) {
  const Message lacks_minor = Message()
                                  .with<std::uint32_t>(QUOTA_NL_A_QTYPE, USRQUOTA)
                                  .with<std::uint64_t>(QUOTA_NL_A_EXCESS_ID, 1000)
                                  .with<std::uint32_t>(QUOTA_NL_A_WARNING, QUOTA_NL_BHARDWARN)
                                  .with<std::uint32_t>(QUOTA_NL_A_DEV_MAJOR, 7)
                                  .with<std::uint64_t>(QUOTA_NL_A_CAUSED_ID, 0);
  EXPECT_EQ(decode_quota(lacks_minor.bytes(), kFamily), Warnings());
  Message of_other_length = lacks_minor;
  of_other_length.with<std::uint64_t>(QUOTA_NL_A_DEV_MINOR, 1);
  EXPECT_EQ(decode_quota(of_other_length.bytes(), kFamily), Warnings());
}

TEST(QuotaNetlink, TakesAttributesThatItDoesNotKnow) {
  EXPECT_EQ(decode_quota(warning().with<std::uint32_t>(77, 1).bytes(), kFamily),
            Warnings{kWarning});
}

TEST(QuotaNetlink, SurvivesEveryCut) {
  const std::vector<std::byte> whole = warning().bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::vector<std::byte> cut(whole.begin(),
                                     whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(decode_quota(cut, kFamily), Warnings()) << size;
  }
}

TEST(QuotaNetlink, SurvivesEveryWrongByte) {
  const std::vector<std::byte> whole = warning().bytes();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const unsigned value : {0U, 1U, 0x7fU, 0xffU}) {
      std::vector<std::byte> wrong = whole;
      wrong[at] = static_cast<std::byte>(value);
      EXPECT_LE(decode_quota(wrong, kFamily).size(), 1U);
    }
  }
}

TEST(QuotaNetlink, KnowsWhatIsALimitHit) {
  QuotaWarning warning;
  std::vector<std::uint32_t> hits;
  std::vector<std::uint32_t> of_inodes;
  for (warning.warning = 0; warning.warning < 20; ++warning.warning) {
    if (is_limit_hit(warning)) hits.push_back(warning.warning);
    if (is_of_inodes(warning)) of_inodes.push_back(warning.warning);
  }
  EXPECT_EQ(hits, (std::vector<std::uint32_t>{1, 2, 4, 5}));
  EXPECT_EQ(of_inodes, (std::vector<std::uint32_t>{1, 2}));
}

}  // namespace
}  // namespace watchq
