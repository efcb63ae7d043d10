// SPDX-License-Identifier: MIT
// Prints a line of JSON for each kind of event that there is, with all facts and with none.
#include <watchq/watchq.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "report/report.h"

namespace {

template <typename Body>
void print(Body body, std::uint32_t type, std::uint32_t subtype, std::uint32_t flags) {
  watch_notification header{};
  header.type = type & 0xFFFFFFU;
  header.subtype = subtype & 0xFFU;
  header.info = static_cast<std::uint32_t>(sizeof body) | flags;
  std::memcpy(&body, &header, sizeof header);
  const auto bytes = std::as_bytes(std::span(&body, 1));
  watchq::Facts facts;
  std::puts(json_of(watchq::report_now(bytes, facts)).c_str());
  facts.path = "/srv/a b";
  facts.root = "/";
  facts.fs_type = "ext4";
  facts.source = "/dev/sda1";
  facts.device = "8:1";
  facts.superblock = 5;
  facts.mount = 65;
  facts.unique_mount = 66;
  facts.unique_parent = 67;
  facts.attributes = 0x200003;
  facts.pid = 4711;
  facts.comm = "mount";
  facts.uid = 1000;
  facts.quota_type = 1;
  facts.quota_id = 1001;
  facts.key_type = facts.linked_type = "user";
  facts.description = facts.linked_description = "a \"key\"";
  facts.owner = 1002;
  std::puts(json_of(watchq::report_now(bytes, facts)).c_str());
}

template <typename Body>
void print_all(const Body& body, std::uint32_t type) {
  for (std::uint32_t subtype = 0; ::watchq_subtype_name(type, subtype) != nullptr; ++subtype) {
    for (const std::uint32_t flags : {0U, WATCH_INFO_FLAG_0, WATCH_INFO_RECURSIVE}) {
      print(body, type, subtype, flags);
    }
  }
}

}  // namespace

int main() {
  print_all(mount_notification{{}, 64, 65}, WATCH_TYPE_MOUNT_NOTIFY);
  print_all(mount_notification{{}, 0, 0}, WATCH_TYPE_MOUNT_NOTIFY);
  for (const int error : {EIO, ENOSPC, 4000}) {
    const auto number = static_cast<std::uint32_t>(error);
    print_all(superblock_error_notification{{{}, 5}, number, 1}, WATCH_TYPE_SB_NOTIFY);
  }
  print_all(key_notification{{}, 7, 0}, WATCH_TYPE_KEY_NOTIFY);
  print_all(key_notification{{}, 7, ENOKEY}, WATCH_TYPE_KEY_NOTIFY);
  print_all(watchq_space_notification{{}, 5, 10, 1000}, WATCHQ_TYPE_SPACE);
  print_all(watch_notification{}, WATCH_TYPE_META);
  print(watch_notification{}, 0x812345, 200, 0);
  for (const watchq::LossReason reason :
       {watchq::LossReason::slow_reader, watchq::LossReason::kernel}) {
    for (const std::uint64_t count : {std::uint64_t{1}, ~std::uint64_t{0}}) {
      std::puts(json_of(watchq::loss_now(count, reason)).c_str());
    }
  }
  return 0;
}
