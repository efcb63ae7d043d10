/* SPDX-License-Identifier: MIT
 * What the calling thread can read of keyrings. */
#ifndef WATCHQ_LIB_KEY_LINKS_H
#define WATCHQ_LIB_KEY_LINKS_H

#include <watchq/watch_queue.h>

struct key_links {
  struct watchq_key_link* links;
  int32_t* keyrings; /* that were read */
  uint32_t nr_links;
  uint32_t nr_keyrings;
};

/* Reads a keyring, and with `below` those linked below it too, as far as the caller may and memory
 * allows. What it gives is to be freed. Keeps errno. */
void watchq_read_key_links(int32_t keyring, int below, struct key_links* into);
void watchq_free_key_links(struct key_links* links);

#endif
