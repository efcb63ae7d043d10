/* SPDX-License-Identifier: MIT
 * What a queue is, for the files of this library alone. */
#ifndef WATCHQ_LIB_QUEUE_H
#define WATCHQ_LIB_QUEUE_H

#include <stddef.h>
#include <watchq/watchq.h>

/* A watch that watchq_reopen() sets again. */
struct kept_watch;

struct watchq_queue {
  int fd;
  void* map;
  size_t size;
  struct watchq_ring ring;
  int wakes_head; /* the daemon wakes who waits on head by futex(2) */
  /* A record that watchq_wait() found and watchq_next() has not handed out yet, or NULL. */
  const struct watch_notification* found;
  size_t found_length;

  char* path;         /* what was opened; NULL: the file came from somebody else */
  unsigned int pages; /* as asked for */
  struct kept_watch* kept;
  size_t kept_count;
  struct watchq_filter* filter; /* to be set again; NULL: none */
  /* Records that we make ourselves and that come before those of the ring: one after the other. */
  uint64_t* own;
  size_t own_length; /* bytes */
  size_t own_at;     /* bytes handed out */
};

/* Opens the file and maps its ring of so many pages. Returns the queue's parts in *queue, whose
 * other members it leaves alone; or -1 with errno. */
int watchq_open_ring(const char* path, unsigned int pages, struct watchq_queue* queue);

/* The next record that we have made ourselves, if there is one left: 1, else 0. */
int watchq_own_record(struct watchq_queue* queue);

/* A record is handed out: a watch whose object is gone is not to be set again. */
void watchq_note_removal(struct watchq_queue* queue, const struct watch_notification* record);

/* Lets go what is remembered for watchq_reopen(). */
void watchq_forget_all(struct watchq_queue* queue);

#endif
