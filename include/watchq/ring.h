/* SPDX-License-Identifier: MIT
 *
 * The consumer of a ring, inline. C11 and C++20; needs only watch_queue.h.
 *
 *	struct watchq_ring ring;
 *	const struct watch_notification *record;
 *	size_t length;
 *
 *	watchq_ring_init(&ring, map, size);
 *	while (watchq_ring_next(&ring, &record, &length) == 1)
 *		use(record, length);
 *	watchq_ring_seen(&ring);
 *
 * One thread at a time may use a struct watchq_ring, and one ring has one consumer. Nothing here
 * blocks, allocates or makes a system call; wait for records with poll() on the queue.
 *
 * The consumer trusts the producer no further than it must: a record that would leave the mapping
 * or the published part of it is never handed out.
 */
#ifndef WATCHQ_RING_H
#define WATCHQ_RING_H

#include <errno.h>
#include <watchq/watch_queue.h>

#if defined(__cplusplus)
extern "C" {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast" /* C has no other */
#endif

struct watchq_ring {
  struct watch_queue_buffer* buffer; /* the mapping; owned by the caller */
  uint32_t mask;                     /* from the mapping's size, not from its contents */
  uint32_t head;                     /* as last read from the mapping */
  uint32_t tail;                     /* the next record to hand out */
};

/* Begins to consume the ring mapped at `map`, `size` bytes long: the queue's whole size.
 *
 * Returns 0, or -EINVAL when `size` is no power of two of at least 4096. Records that an earlier
 * consumer of the same mapping left are handed out again.
 */
static inline int watchq_ring_init(struct watchq_ring* ring, void* map, size_t size) {
  if (size < 4096 || (size & (size - 1)) != 0 || size / 8 > UINT32_MAX) return -EINVAL;
  ring->buffer = (struct watch_queue_buffer*)map;
  ring->mask = (uint32_t)(size / 8 - 1);
  ring->tail = __atomic_load_n(&ring->buffer->meta.tail, __ATOMIC_RELAXED);
  ring->head = ring->tail;
  return 0;
}

/* The next record, padding stepped over.
 *
 * Returns 1 and sets *record and *length (bytes, 8..504); 0 when the ring is empty; -EPROTO when
 * its contents make no sense. The record lies in the mapping and stays valid until
 * watchq_ring_seen() is called.
 */
static inline int watchq_ring_next(struct watchq_ring* ring,
                                   const struct watch_notification** record, size_t* length) {
  for (;;) {
    const struct watch_notification* slot;
    uint32_t slots, index, ahead;
    int skip;

    if (ring->tail == ring->head) {
      /* Pairs with the producer's release store of head: the records before it
       * are complete. */
      ring->head = __atomic_load_n(&ring->buffer->meta.head, __ATOMIC_ACQUIRE);
      if (ring->tail == ring->head) return 0;
    }
    index = ring->tail & ring->mask;
    slot = &ring->buffer->slots[index];
    /* Read once: the memory is shared with another process. */
    slots =
        (__atomic_load_n(&slot->info, __ATOMIC_RELAXED) & WATCH_INFO_LENGTH) >> WATCH_LENGTH_SHIFT;
    skip = slot->type == WATCH_TYPE_META && slot->subtype == WATCH_META_SKIP_NOTIFICATION;
    /* The metadata's slots hold nothing but padding: head and tail change under a reader. */
    if (ring->head - ring->tail > ring->mask + 1 || slots == 0 || slots > ring->head - ring->tail ||
        slots > ring->mask + 1 - index || (!skip && index < sizeof(*ring->buffer) / 8)) {
      /* Look at head again next time: it may have been mended. */
      ring->head = ring->tail;
      return -EPROTO;
    }
    ring->tail += slots;
    /* Fetches, 256 bytes further on and of what is published, as much as is taken here: where the
     * next record lies is known only when this one has come, so the processor cannot do it. */
    if (ring->head - ring->tail > 32) {
      for (ahead = 0; ahead < slots; ahead += 8)
        __builtin_prefetch(&ring->buffer->slots[(ring->tail + 32 - ahead) & ring->mask]);
    }
    if (skip) continue;
    *record = slot;
    *length = (size_t)slots << WATCH_LENGTH_SHIFT;
    return 1;
  }
}

/* Gives the space of all records handed out so far back to the producer. */
static inline void watchq_ring_seen(struct watchq_ring* ring) {
  /* Pairs with the producer's acquire load of tail: it overwrites nothing we still read. */
  __atomic_store_n(&ring->buffer->meta.tail, ring->tail, __ATOMIC_RELEASE);
}

/* Whether records before this one were lost. */
static inline int watchq_record_lost_before(const struct watch_notification* record) {
  return (record->info & (WATCH_INFO_OVERRUN | WATCH_INFO_ENOMEM)) != 0;
}

/* The tag of the watch that this record is for. */
static inline unsigned int watchq_record_tag(const struct watch_notification* record) {
  return (record->info & WATCH_INFO_ID) >> WATCH_INFO_ID__SHIFT;
}

#if defined(__cplusplus)
#pragma GCC diagnostic pop
}
#endif

#endif /* WATCHQ_RING_H */
