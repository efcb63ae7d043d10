// SPDX-License-Identifier: MIT
#include "fuse/operations.h"

#include <cerrno>

#include "fuse/filesystem.h"
#include "fuse/reply.h"
#include "fuse/session.h"

namespace watchq {
namespace {

Filesystem& filesystem_of(fuse_req_t request) {
  return static_cast<FuseSession*>(fuse_req_userdata(request))->filesystem();
}

template <typename Serve>
void answer(fuse_req_t request, Serve&& serve) {
  reply_errno_of(request, [&] { serve(filesystem_of(request)); });
}

void init(void* session, fuse_conn_info* connection) {
  // Nothing here is large, and records must not linger in a cache.
  connection->want &= ~static_cast<unsigned>(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE |
                                             FUSE_CAP_SPLICE_MOVE | FUSE_CAP_WRITEBACK_CACHE);
  // Pages that are asked for must not wait behind each other: the fetching of a ring's indices must
  // not overtake the reading of the page they are in.
  connection->max_background = 0xFFFF;
  static_cast<FuseSession*>(session)->initialised(*connection);
}

void lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  answer(request, [&](Filesystem& files) { files.lookup(request, parent, name); });
}

void getattr(fuse_req_t request, fuse_ino_t node, fuse_file_info* file) {
  answer(request, [&](Filesystem& files) { files.getattr(request, node, file != nullptr); });
}

void getxattr(fuse_req_t request, fuse_ino_t node, const char* name, size_t size) {
  answer(request, [&](Filesystem& files) { files.getxattr(request, node, name, size); });
}

void removexattr(fuse_req_t request, fuse_ino_t, const char*) { fuse_reply_err(request, EPERM); }

void retrieve_reply(fuse_req_t request, void* cookie, fuse_ino_t, off_t, fuse_bufvec* bytes) {
  const fuse_buf& buffer = bytes->buf[0];
  filesystem_of(request).retrieved(cookie,
                                   {static_cast<const std::byte*>(buffer.mem), buffer.size});
  fuse_reply_none(request);
}

void setattr(fuse_req_t request, fuse_ino_t, struct stat*, int, fuse_file_info*) {
  // A ring has the size that its client asked for, once.
  fuse_reply_err(request, EPERM);
}

void open(fuse_req_t request, fuse_ino_t node, fuse_file_info* info) {
  answer(request, [&](Filesystem& files) { files.open(request, node, *info); });
}

void read(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset, fuse_file_info* info) {
  answer(request, [&](Filesystem& files) { files.read(request, node, size, offset, *info); });
}

void write(fuse_req_t request, fuse_ino_t node, const char* bytes, size_t size, off_t offset,
           fuse_file_info* info) {
  answer(request, [&](Filesystem& files) {
    files.write(request, node, std::as_bytes(std::span(bytes, size)), offset, *info);
  });
}

void release(fuse_req_t request, fuse_ino_t node, fuse_file_info* info) {
  answer(request, [&](Filesystem& files) { files.release(request, node, *info); });
}

void readdir(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset, fuse_file_info*) {
  answer(request, [&](Filesystem& files) { files.readdir(request, node, size, offset); });
}

void ioctl(fuse_req_t request, fuse_ino_t node, unsigned int command, void* argument,
           fuse_file_info*, unsigned, const void* input, size_t input_size, size_t) {
  answer(request, [&](Filesystem& files) {
    files.ioctl(request, node, command, reinterpret_cast<std::uint64_t>(argument),
                {static_cast<const std::byte*>(input), input_size});
  });
}

void poll(fuse_req_t request, fuse_ino_t node, fuse_file_info* info, fuse_pollhandle* handle) {
  answer(request, [&](Filesystem& files) { files.poll(request, node, handle, *info); });
}

}  // namespace

fuse_lowlevel_ops filesystem_operations() {
  fuse_lowlevel_ops operations{};
  operations.init = init;
  operations.lookup = lookup;
  operations.getattr = getattr;
  operations.setattr = setattr;
  operations.getxattr = getxattr;
  operations.removexattr = removexattr;
  operations.retrieve_reply = retrieve_reply;
  operations.open = open;
  operations.read = read;
  operations.write = write;
  operations.release = release;
  operations.readdir = readdir;
  operations.ioctl = ioctl;
  operations.poll = poll;
  return operations;
}

}  // namespace watchq
