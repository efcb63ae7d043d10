// SPDX-License-Identifier: MIT
#include "fuse/text_file.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

namespace watchq {
namespace {

struct OpenText {
  std::string text;
  UserLimit::Share share;
};

const OpenText* text_of(const fuse_file_info& info) {
  return reinterpret_cast<const OpenText*>(info.fh);
}

}  // namespace

void open_text(fuse_req_t request, std::string text, UserLimit::Share share) {
  auto kept = std::make_unique<OpenText>(OpenText{std::move(text), std::move(share)});
  fuse_file_info info{};
  info.fh = reinterpret_cast<std::uint64_t>(kept.get());
  info.direct_io = 1;
  if (fuse_reply_open(request, &info) == 0) static_cast<void>(kept.release());
}

void read_text(fuse_req_t request, std::size_t size, off_t offset, const fuse_file_info& info) {
  const std::string_view text = text_of(info)->text;
  const std::string_view slice =
      text.substr(std::min(static_cast<std::size_t>(offset), text.size()), size);
  fuse_reply_buf(request, slice.data(), slice.size());
}

void close_text(const fuse_file_info& info) { delete text_of(info); }

}  // namespace watchq
