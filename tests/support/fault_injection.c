/* SPDX-License-Identifier: MIT
 * Loaded before the C library, has calls fail: the file named by $WATCHQ_FAULTS says which and how,
 * in one line "CALL ERRNO"; without the file, or in an empty one, none. It is read at each call. */
/* With it fallocate() is fallocate64(), of which there are two below. */
#undef _FILE_OFFSET_BITS
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* 1, with errno set, when this call is to fail now. */
static int fails(const char* call) {
  char line[64];
  const char* path = getenv("WATCHQ_FAULTS");
  const size_t length = strlen(call);
  ssize_t got;
  int file;

  if (path == NULL) return 0;
  file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  got = read(file, line, sizeof line - 1);
  close(file);
  if (got < 0) return 0;
  line[got] = '\0';
  if (strncmp(line, call, length) != 0 || line[length] != ' ') return 0;
  errno = atoi(line + length);
  return 1;
}

int memfd_create(const char* name, unsigned int flags) {
  if (fails("memfd_create")) return -1;
  return (int)syscall(SYS_memfd_create, name, flags);
}

int fallocate64(int fd, int mode, off64_t offset, off64_t size) {
  if (fails("fallocate")) return -1;
  return (int)syscall(SYS_fallocate, fd, mode, offset, size);
}

/* What 32-bit machines and old programs call it. */
int fallocate(int fd, int mode, off_t offset, off_t size) {
  return fallocate64(fd, mode, offset, size);
}
