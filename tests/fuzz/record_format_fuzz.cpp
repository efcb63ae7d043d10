// SPDX-License-Identifier: MIT
// Arbitrary records in words: by libwatchq into buffers of any size, and as the command's lines.
//
// Input: the buffer's size, then a record whose length is put right.
#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "fuzz/fuzz_input.h"
#include "tool/render.h"

namespace watchq {
namespace {

constexpr std::size_t kLongest = 504;

void check_format(const watch_notification* record, std::size_t length, std::size_t size) {
  std::array<char, 1024> text;
  text.fill('#');
  const std::size_t whole = ::watchq_record_format(record, length, text.data(), size);
  require(whole < 256, "256 bytes hold any line");
  require(text.at(size) == '#', "nothing is written behind the buffer");
  if (size != 0) {
    const std::string_view written(text.data());
    require(written.size() == std::min(whole, size - 1), "as much as fits, and a NUL");
  }
}

void record_format(FuzzInput input) {
  const std::size_t size = input.take<std::uint16_t>() % 512;
  alignas(8) std::array<std::byte, kLongest> record{};
  const std::size_t given = std::min(input.rest().size(), kLongest);
  const std::size_t length = std::max<std::size_t>(8, given / 8 * 8);
  std::memcpy(record.data(), input.rest().data(), given);
  watch_notification header{};
  std::memcpy(&header, record.data(), sizeof header);
  header.info = (header.info & ~WATCH_INFO_LENGTH) | static_cast<std::uint32_t>(length);
  std::memcpy(record.data(), &header, sizeof header);
  // On the heap, and no longer than it says: who reads beyond is seen.
  const std::vector<watch_notification> exact(
      reinterpret_cast<const watch_notification*>(record.data()),
      reinterpret_cast<const watch_notification*>(record.data() + length));
  check_format(exact.data(), length, size);

  const Record copy(exact.data(), length);
  Event event{copy, detail_of(copy), {}, {}, Origin::change, {}};
  event.path = std::string(reinterpret_cast<const char*>(record.data()), length);
  for (const std::string& line :
       {text_line(event), text_loss_line(event), json_line(event), json_line(json_loss(event))}) {
    require(line.find('\n') == std::string::npos, "one line each");
  }
}

}  // namespace
}  // namespace watchq

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  watchq::record_format(watchq::FuzzInput(data, size));
  return 0;
}
