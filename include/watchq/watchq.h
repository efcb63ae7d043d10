/* SPDX-License-Identifier: MIT
 *
 * libwatchq: opens a queue of watchqd, sets watches and hands out the records. C11 and C++20.
 *
 *	struct watchq_queue *queue = watchq_open(NULL, 0);
 *	const struct watch_notification *record;
 *	size_t length;
 *
 *	watchq_mount_notify(AT_FDCWD, "/", 0, watchq_fd(queue), 1);
 *	while (watchq_wait(queue, -1) == 1)
 *		while (watchq_next(queue, &record, &length) == 1)
 *			use(record, length);
 *	watchq_close(queue);
 *
 * Errors: what can fail returns -1 (watchq_open() and watchq_attach(): NULL) and sets errno.
 * Nothing is printed and no signal is touched.
 *
 * Threads: a struct watchq_queue belongs to one thread at a time, and so do the records it hands
 *out. The calls that set watches take a descriptor and may be made by any thread at any time.
 *
 * Processes: a ring has one consumer. After fork() only one of the two may go on using it.
 */
#ifndef WATCHQ_WATCHQ_H
#define WATCHQ_WATCHQ_H

#include <watchq/ring.h>
#include <watchq/watch_queue.h>

#if defined(__cplusplus)
extern "C" {
#endif

/* Where watchqd mounts when nobody says otherwise. */
#define WATCHQ_DEFAULT_MOUNT "/watchq"
/* The name of the queue below the mount point. */
#define WATCHQ_QUEUE_NAME "queue"
/* Pages of a ring when nobody says otherwise: room for 65,000 records of mounts, more than the
 * kernel makes in a second. Only those that records have reached take memory. */
#define WATCHQ_DEFAULT_PAGES 256u

/* ---- a queue ----------------------------------------------------------------------------------
 */

struct watchq_queue;

/* Opens a queue, gives it a ring of `pages` pages (a power of two; 0: WATCHQ_DEFAULT_PAGES) and
 * maps it. `path` is the queue's file; NULL stands for "queue" in the directory $WATCHQ_MOUNT
 * (not looked at in a set-user-ID program) or else WATCHQ_DEFAULT_MOUNT.
 *
 * The caller closes the result with watchq_close(). On failure NULL is returned and errno is:
 * ENOENT or ENOTCONN when no daemon serves that path; EINVAL when the file is no queue, or
 * for a number of pages that is no power of two or over the daemon's limit; or what open(2) and
 * mmap(2) say.
 */
struct watchq_queue* watchq_open(const char* path, unsigned int pages);

/* Takes over a queue that is open for reading and writing and has its size already: one that was
 * inherited, or came from another process that no longer uses it. Records left in it are handed
 * out.
 *
 * On success `fd` belongs to the result and watchq_close() closes it; on failure (NULL) it stays
 * the caller's. errno: EINVAL when the file has no size that a ring can have; EBADF; or what
 * mmap(2) says.
 */
struct watchq_queue* watchq_attach(int fd);

/* Unmaps and closes the queue, which ends its watches. NULL is allowed. Keeps errno. */
void watchq_close(struct watchq_queue* queue);

/* The queue's descriptor, for the calls below, poll(2), epoll(7) and ioctl(2). It stays the
 * queue's: do not close it.
 *
 * Who waits for it must first take records until watchq_next() returns 0.
 */
int watchq_fd(const struct watchq_queue* queue);

/* ---- records ----------------------------------------------------------------------------------
 */

/* The next record, in the ring itself: nothing is copied.
 *
 * Returns 1 and sets *record and *length (bytes, 8..504); 0 when there is none now; -1 with EPROTO
 * when the ring's contents make no sense. The record stays valid until the next call with this
 * queue. Padding is stepped over. Never blocks and makes no system call.
 */
int watchq_next(struct watchq_queue* queue, const struct watch_notification** record,
                size_t* length);

/* Waits until there is a record, at most `timeout_ms` milliseconds; -1 waits without end. When one
 * is there already, no system call is made. The first second is waited on the ring itself, where
 * the daemon can do that, at a fraction of what poll(2) costs; a daemon that goes away in it is
 * noticed when it is over.
 *
 * Returns 1 when watchq_next() has a record; 0 when the time was over first; -1 with errno EINTR
 * when a signal handler ran, EPROTO when the ring's indices make no sense, ENOTCONN when the daemon
 * has gone.
 */
int watchq_wait(struct watchq_queue* queue, int timeout_ms);

/* ---- filter and injection ----------------------------------------------------------------------
 *
 * `fd` is a queue. Return 0, or -1 with errno: EINVAL for an argument that makes no sense or when
 * `fd` is no queue, EBADF, ENOTCONN when the daemon has gone. Unlike the ioctl and the write() of
 * 2018 these need nothing but the call itself: a daemon that may not read its client's memory
 * cannot see the filter of IOC_WATCH_QUEUE_SET_FILTER (EPERM), and where rings lie in the page
 * cache write() fails with EPERM.
 */

/* Replaces the queue's filter; NULL removes it. 1 to 16 entries. */
int watchq_set_filter(int fd, const struct watch_notification_filter* filter);

/* Puts one record into the queue, for debugging. `length` is the record's, in bytes, as its info
 * word says; of that word only length, type flags and tag are kept. ENOBUFS when the queue has no
 * size.
 */
int watchq_inject(int fd, const struct watch_notification* record, size_t length);

/* ---- watches ----------------------------------------------------------------------------------
 *
 * `fd` is a queue. `tag`, 0..255, comes back in each record of the watch; -1 removes the watch.
 * `at_flags`: AT_NO_AUTOMOUNT, AT_EMPTY_PATH. Return 0, or -1 with errno:
 *
 *	EINVAL		another tag or unknown flags; `fd` is no queue
 *	EBADF		`fd` is no open file
 *	EBUSY		this queue watches the object already
 *	EBADSLT		this queue does not watch what is to be removed
 *	EOPNOTSUPP	this kernel has no way to see such events, or the daemon no source for them:
 *			its `status` file says why
 *	EPERM		the daemon may not look for this process
 *	ENOSPC, EMFILE	a limit
 *	ENOTCONN	the daemon has gone
 *
 * and what openat(2) says of dfd and path, or the kernel of the key.
 */

/* Watches the mounts at and below the path, as mount_notify() of 2018. */
int watchq_mount_notify(int dfd, const char* path, unsigned int at_flags, int fd, int tag);

/* Watches the superblock that holds the path, as sb_notify() of 2018. */
int watchq_sb_notify(int dfd, const char* path, unsigned int at_flags, int fd, int tag);

/* Watches a key or keyring, as keyctl(KEYCTL_WATCH_KEY) of 2018. Needs View permission on it.
 * `key` is a serial number or one of the special IDs -1..-8 of keyctl(2), which mean the calling
 * thread's own keyrings. Errors besides: ENOKEY, EACCES, EKEYREVOKED, EKEYEXPIRED.
 */
int watchq_keyctl_watch_key(int32_t key, int fd, int tag);

/* The same three with watchq's flags: WATCHQ_DETAIL, WATCHQ_CHILDREN, WATCHQ_ALL, WATCHQ_SNAPSHOT.
 * EINVAL for a flag that the object does not know.
 */
int watchq_watch_mount(int dfd, const char* path, unsigned int at_flags, int fd, int tag,
                       uint32_t flags);
int watchq_watch_sb(int dfd, const char* path, unsigned int at_flags, int fd, int tag,
                    uint32_t flags);
int watchq_watch_key(int32_t key, int fd, int tag, uint32_t flags);

/* Watches a superblock as watchq_watch_sb() does, and a threshold of its free space or inodes:
 * `threshold_kind` is WATCHQ_SPACE_*. Crossings come as records of type WATCHQ_TYPE_SPACE; where
 * less is free already, with WATCHQ_SNAPSHOT only. Errors besides: EINVAL for another kind, a
 * threshold of 0 or a share over the whole; EOPNOTSUPP where the daemon cannot tell how much is
 * free.
 */
int watchq_watch_sb_space(int dfd, const char* path, unsigned int at_flags, int fd, int tag,
                          uint32_t flags, uint32_t threshold_kind, uint64_t threshold);

/* ---- when the daemon goes ----------------------------------------------------------------------
 *
 * A daemon that ends, or is ended, takes its queues along: watchq_wait() hands out what is in the
 * ring and then says ENOTCONN. A queue can remember its watches and go on with the next daemon:
 *
 *	watchq_keep_watch(queue, WATCHQ_KIND_MOUNT, AT_FDCWD, "/srv", 0, &options);
 *	...
 *	if (watchq_wait(queue, -1) < 0 && errno == ENOTCONN) watchq_reopen(queue, 10000);
 */

enum watchq_kind { WATCHQ_KIND_MOUNT, WATCHQ_KIND_SB, WATCHQ_KIND_KEY };

struct watchq_watch_options {
  int tag;                 /* 0..255: best one for each watch; -1 removes and forgets the watch */
  uint32_t flags;          /* as of watchq_watch_mount() and the others */
  uint32_t threshold_kind; /* superblocks: as of watchq_watch_sb_space(); 0: no threshold */
  uint64_t threshold;
};

/* Watches a mount or a superblock as watchq_watch_mount(), watchq_watch_sb() and
 * watchq_watch_sb_space() do, and remembers the watch for watchq_reopen(). Nothing is kept open for
 * that. A watch that ends with a removal record is forgotten, with all others of its tag.
 *
 * Returns 0, or -1 with errno: as those say, ENOMEM, and EINVAL for a queue of watchq_attach().
 */
int watchq_keep_watch(struct watchq_queue* queue, enum watchq_kind kind, int dfd, const char* path,
                      unsigned int at_flags, const struct watchq_watch_options* options);

/* The same of a key, as watchq_watch_key() does. */
int watchq_keep_key(struct watchq_queue* queue, int32_t key,
                    const struct watchq_watch_options* options);

/* Sets the filter as watchq_set_filter() does, and remembers it. */
int watchq_keep_filter(struct watchq_queue* queue, const struct watch_notification_filter* filter);

/* Opens the queue anew, at the same path, with the same number of pages and as the same descriptor
 * number (epoll(7) has to be told again), and sets filter and watches again, each with a snapshot.
 * Waits at most `timeout_ms` milliseconds (-1: without end) until a daemon serves there. Records of
 * the queue before that were not taken yet are gone.
 *
 * The first record that comes then is of type WATCHQ_TYPE_LOST with WATCH_INFO_OVERRUN and a count
 * of 0: what happened in between is lost, nobody knows how much. Then comes a removal record, with
 * its tag, for each watch that could not be set again: its object is gone, or another one is at its
 * path, or may not be watched any more. Then what the snapshots tell.
 *
 * Returns 0, or -1 with errno and the queue as it was, so that it can be called again: ENOENT,
 * ENOTCONN or another that open(2) gives when no daemon serves in time; EINTR; EMFILE, ENOSPC or
 * ENOMEM at a limit; EINVAL for a queue of watchq_attach().
 */
int watchq_reopen(struct watchq_queue* queue, int timeout_ms);

/* ---- records in words -------------------------------------------------------------------------
 *
 * These may be called from any thread. The names are stable; the words of a line are for people.
 */

/* The name of a type ("mount") or of a kind of event within it ("new_mount"); NULL when unknown.
 * Static, not to be freed.
 */
const char* watchq_type_name(uint32_t type);
const char* watchq_subtype_name(uint32_t type, uint32_t subtype);

/* Writes what a record says as one line of text without a newline, for instance
 * "mounted: mount 102 on mount 47, tag 1, below".
 *
 * As snprintf(): writes at most `size` bytes with the final NUL, and returns how long the whole
 * text is without it. `length` is the record's, in bytes; a record of unknown type or too short for
 * its type is described by its numbers. 256 bytes hold any line.
 */
size_t watchq_record_format(const struct watch_notification* record, size_t length, char* text,
                            size_t size);

#if defined(__cplusplus)
}
#endif

#endif /* WATCHQ_WATCHQ_H */
