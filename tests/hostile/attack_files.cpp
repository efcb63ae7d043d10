// SPDX-License-Identifier: MIT
// What a client does to open files, names and directories that no honest one does.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <watchq/watchq.h>

#include <array>
#include <vector>

#include "hostile/attacker.h"

namespace watchq {
namespace {

constexpr std::size_t kMost = 1 << 17;

UniqueFd open_somehow(Attacker& attacker) {
  constexpr std::uint64_t kFlags[] = {O_RDWR,     O_WRONLY,   O_DIRECT,    O_TRUNC, O_APPEND,
                                      O_NONBLOCK, O_SYNC,     O_DSYNC,     O_ASYNC, O_NOATIME,
                                      O_CREAT,    O_EXCL,     O_DIRECTORY, O_PATH,  O_NOFOLLOW,
                                      O_TMPFILE,  O_LARGEFILE};
  const auto flags = static_cast<int>(attacker.any_of(kFlags)) | O_CLOEXEC;
  const char* const names[] = {"/queue", "/queue", "/queue", "/status", "/mounts", "", "/nothing"};
  const int first = attacker.chance(50) ? flags : O_RDWR | O_CLOEXEC;
  UniqueFd fd(
      ::open((attacker.target().mount_point + attacker.one_of(names)).c_str(), first, 0666));
  if (!fd.valid() || attacker.chance(50)) return fd;
  // What is open already, once more.
  const std::string again = "/proc/self/fd/" + std::to_string(fd.get());
  UniqueFd second(::open(again.c_str(), flags, 0666));
  return second.valid() ? std::move(second) : std::move(fd);
}

void move_bytes(Attacker& attacker, int fd) {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return;
  const UniqueFd out(ends[0]);
  const UniqueFd in(ends[1]);
  std::array<char, 64> some{};
  static_cast<void>(::write(in.get(), some.data(), some.size()));
  const std::size_t size = attacker.odd_number() % kMost;
  auto offset = static_cast<loff_t>(attacker.odd_number() & 0xffff);
  switch (attacker.below(5)) {
    case 0:
      ::splice(fd, nullptr, in.get(), nullptr, size, SPLICE_F_NONBLOCK);
      break;
    case 1:
      ::splice(out.get(), nullptr, fd, nullptr, size, SPLICE_F_NONBLOCK);
      break;
    case 2:
      ::sendfile(in.get(), fd, nullptr, size);
      break;
    case 3:
      ::copy_file_range(fd, &offset, fd, nullptr, size, 0);
      break;
    default:
      ::sendfile(fd, fd, &offset, size);
  }
}

void read_or_write(Attacker& attacker, int fd) {
  std::vector<char> bytes(attacker.chance(90) ? attacker.below(700) : attacker.below(kMost));
  const auto offset = static_cast<off_t>(attacker.odd_number() & 0x7fffffffffff);
  const iovec part{bytes.data(), bytes.size()};
  switch (attacker.below(7)) {
    case 0:
      if ((::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0) {
        static_cast<void>(::read(fd, bytes.data(), bytes.size()));
      }
      break;
    case 1:
      static_cast<void>(::write(fd, bytes.data(), bytes.size()));
      break;
    case 2:
      static_cast<void>(::pread(fd, bytes.data(), bytes.size(), offset));
      break;
    case 3:
      static_cast<void>(::pwrite(fd, bytes.data(), bytes.size(), offset));
      break;
    case 4:
      static_cast<void>(::preadv2(fd, &part, 1, -1, RWF_NOWAIT));
      break;
    case 5:
      static_cast<void>(::pwritev2(fd, &part, 1, offset, RWF_APPEND));
      break;
    default:  // from memory that is not there
      static_cast<void>(::write(fd, reinterpret_cast<void*>(attacker.odd_number()), 16));
  }
}

void change_file(Attacker& attacker, int fd) {
  const auto number = static_cast<off_t>(attacker.odd_number() & 0x7fffffffffff);
  const auto other = static_cast<off_t>(attacker.odd_number() & 0xffffff);
  switch (attacker.below(12)) {
    case 0:
      static_cast<void>(::ftruncate(fd, number));
      break;
    case 1:
      ::fallocate(fd, static_cast<int>(attacker.below(128)), number, other);
      break;
    case 2:
      ::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, other);
      break;
    case 3:
      ::lseek(fd, number, static_cast<int>(attacker.below(6)));
      break;
    case 4:
      ::fsync(fd);
      break;
    case 5:
      ::flock(fd, LOCK_EX | LOCK_NB);
      break;
    case 6: {
      struct flock lock {};
      lock.l_type = F_WRLCK;
      lock.l_len = other;
      ::fcntl(fd, attacker.chance(50) ? F_SETLK : F_OFD_SETLK, &lock);
      break;
    }
    case 7:
      ::fcntl(fd, F_SETLEASE, attacker.chance(50) ? F_WRLCK : F_RDLCK);
      break;
    case 8:
      ::fcntl(fd, F_ADD_SEALS, attacker.below(64));
      break;
    case 9:
      ::fcntl(fd, F_SETFL, O_NONBLOCK | (attacker.chance(50) ? O_DIRECT : O_APPEND));
      break;
    case 10:
      ::posix_fadvise(fd, number, other, static_cast<int>(attacker.below(6)));
      ::readahead(fd, number, 4096);
      break;
    default:
      ::fchmod(fd, static_cast<mode_t>(attacker.below(07777)));
      static_cast<void>(::fchown(fd, 0, 0));
  }
}

}  // namespace

void use_files_oddly(Attacker& attacker) {
  const UniqueFd fd = open_somehow(attacker);
  if (!fd.valid()) return;
  if (attacker.chance(60)) ::ioctl(fd.get(), IOC_WATCH_QUEUE_SET_SIZE, 1UL << attacker.below(4));
  for (std::size_t round = attacker.below(60); round > 0; --round) {
    switch (attacker.below(3)) {
      case 0:
        read_or_write(attacker, fd.get());
        break;
      case 1:
        change_file(attacker, fd.get());
        break;
      default:
        move_bytes(attacker, fd.get());
    }
    attacker.did();
  }
}

void name_oddly(Attacker& attacker) {
  const char* const names[] = {
      "/queue",        "/status", "/mounts", "/superblocks",
      "/mounts/1",     "",        "/new",    "/mounts/18446744073709551615",
      "/superblocks/0"};
  const char* const attributes[] = {"security.capability",    "system.posix_acl_access", "user.x",
                                    "trusted.overlay.opaque", "security.selinux",        ""};
  std::array<char, 256> bytes{};
  struct stat status {};
  struct statvfs space {};
  for (std::size_t round = attacker.below(40); round > 0; --round) {
    const std::string path = attacker.target().mount_point + attacker.one_of(names);
    const char* const attribute = attacker.one_of(attributes);
    switch (attacker.below(14)) {
      case 0:
        ::getxattr(path.c_str(), attribute, bytes.data(), attacker.below(bytes.size()));
        break;
      case 1:
        ::setxattr(path.c_str(), attribute, bytes.data(), attacker.below(bytes.size()), 0);
        break;
      case 2:
        ::listxattr(path.c_str(), bytes.data(), attacker.below(bytes.size()));
        break;
      case 3:
        ::removexattr(path.c_str(), attribute);
        break;
      case 4:
        ::unlink(path.c_str());
        ::rmdir(path.c_str());
        break;
      case 5:
        ::rename(path.c_str(), (path + "2").c_str());
        break;
      case 6:
        static_cast<void>(::link(path.c_str(), (path + "3").c_str()));
        static_cast<void>(::symlink("/", path.c_str()));
        break;
      case 7:
        ::mkdir(path.c_str(), 0777);
        ::mknod(path.c_str(), S_IFIFO | 0666, 0);
        break;
      case 8:
        static_cast<void>(::truncate(path.c_str(), static_cast<off_t>(attacker.below(1 << 20))));
        break;
      case 9:
        ::chmod(path.c_str(), 0);
        static_cast<void>(::chown(path.c_str(), 1, 1));
        break;
      case 10:
        ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
        break;
      case 11:
        ::statvfs(path.c_str(), &space);
        ::access(path.c_str(), X_OK);
        break;
      case 12: {
        const UniqueFd notify(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
        ::inotify_add_watch(notify.get(), path.c_str(), IN_ALL_EVENTS);
        ::stat(path.c_str(), &status);
        break;
      }
      default:  // a name with anything in it
        for (char& letter : bytes) letter = static_cast<char>(1 + attacker.below(255));
        ::stat((path + "/" + std::string(bytes.data(), attacker.below(bytes.size()))).c_str(),
               &status);
    }
    attacker.did();
  }
}

void list_oddly(Attacker& attacker) {
  const char* const names[] = {"", "/mounts", "/superblocks", "/queues"};
  const std::string path = attacker.target().mount_point + attacker.one_of(names);
  const UniqueFd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return;
  std::vector<char> entries(1 << 15);
  for (std::size_t round = attacker.below(30); round > 0; --round) {
    if (attacker.chance(60)) {
      ::lseek(directory.get(), static_cast<off_t>(attacker.odd_number()), SEEK_SET);
    }
    ::syscall(SYS_getdents64, directory.get(), entries.data(),
              attacker.chance(50) ? attacker.below(200) : attacker.below(entries.size()));
    const std::string text = path + "/" + std::to_string(attacker.below(2000));
    const UniqueFd file(::open(attacker.chance(20) ? (path + "/../status").c_str() : text.c_str(),
                               O_RDONLY | O_CLOEXEC));
    static_cast<void>(::pread(file.get(), entries.data(), attacker.below(entries.size()),
                              static_cast<off_t>(attacker.below(4000))));
    attacker.did();
  }
}

}  // namespace watchq
