/* SPDX-License-Identifier: MIT
 *
 * A ring laid out word by word, walked by a C11 program.
 */
#include <watchq/ring.h>

static uint32_t words[1024]; /* one page */

static void place(unsigned int slot, uint32_t first_word, uint32_t info) {
  words[slot * 2] = first_word;
  words[slot * 2 + 1] = info;
}

int main(void) {
  struct watchq_ring ring;
  const struct watch_notification* record;
  size_t length;

  place(0, 0, 3 << 3);              /* the metadata: a skip record of 3 slots, */
  place(1, 512 + 5, 510);           /* head and tail, */
  place(2, 511, 0);                 /* mask */
  place(510, 0, 2 << 3);            /* padding */
  place(3, 0x06000001, 0x2a010011); /* a mount moved here: 2 slots, tag 42, some lost before */

  if (watchq_ring_init(&ring, words, sizeof words) != 0) return 1;
  if (watchq_ring_next(&ring, &record, &length) != 1) return 2;
  if ((const void*)record != &words[6] || length != 16) return 3;
  if (record->type != WATCH_TYPE_MOUNT_NOTIFY || record->subtype != NOTIFY_MOUNT_MOVE_TO) return 4;
  if (watchq_record_tag(record) != 42 || !watchq_record_lost_before(record)) return 5;
  if (watchq_ring_next(&ring, &record, &length) != 0) return 6;
  if (words[3] != 510) return 7;
  watchq_ring_seen(&ring);
  return words[3] == 512 + 5 ? 0 : 8;
}
