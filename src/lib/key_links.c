/* SPDX-License-Identifier: MIT
 * What the calling thread can read of keyrings: it may possess what the daemon does not. */
#include "key_links.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As deep as the kernel itself searches. */
#define MAX_DEPTH 6

static int is_keyring(int32_t key) {
  const char start[] = "keyring;";
  char* text;
  int is = 0;
  const long length = syscall(SYS_keyctl, KEYCTL_DESCRIBE, key, NULL, 0);

  if (length < (long)sizeof start) return 0;
  text = malloc((size_t)length);
  if (text == NULL) return 0;
  if (syscall(SYS_keyctl, KEYCTL_DESCRIBE, key, text, length) == length) {
    is = strncmp(text, start, sizeof start - 1) == 0;
  }
  free(text);
  return is;
}

/* The keys in a keyring, to be freed; NULL where they cannot be read. */
static int32_t* read_keyring(int32_t keyring, size_t* count) {
  size_t room = 64 * sizeof(int32_t);
  int32_t* keys = NULL;

  for (;;) {
    int32_t* const larger = realloc(keys, room);
    long length;

    if (larger == NULL) break;
    keys = larger;
    length = syscall(SYS_keyctl, KEYCTL_READ, keyring, keys, room);
    if (length < 0) break;
    if ((size_t)length <= room) {
      *count = (size_t)length / sizeof *keys;
      return keys;
    }
    room = (size_t)length;
  }
  free(keys);
  return NULL;
}

static int has_been_read(const struct key_links* links, int32_t keyring) {
  for (uint32_t i = 0; i < links->nr_keyrings; ++i) {
    if (links->keyrings[i] == keyring) return 1;
  }
  return 0;
}

/* Adds what one keyring links. Returns whether it could. */
static int add(struct key_links* into, int32_t keyring, const int32_t* keys, size_t count) {
  struct watchq_key_link* links;
  int32_t* keyrings;

  if (count > WATCHQ_MAX_KEY_LINKS - into->nr_links) return 0;
  keyrings = realloc(into->keyrings, (into->nr_keyrings + 1) * sizeof *keyrings);
  if (keyrings == NULL) return 0;
  into->keyrings = keyrings;
  links = realloc(into->links, (into->nr_links + count + 1) * sizeof *links);
  if (links == NULL) return 0;
  into->links = links;
  keyrings[into->nr_keyrings++] = keyring;
  for (size_t i = 0; i < count; ++i) {
    links[into->nr_links].keyring = keyring;
    links[into->nr_links++].key = keys[i];
  }
  return 1;
}

static void read_from(int32_t keyring, int depth, struct key_links* into) {
  size_t count = 0;
  int32_t* keys;

  /* Two may link each other. */
  if (has_been_read(into, keyring) || !is_keyring(keyring)) return;
  keys = read_keyring(keyring, &count);
  if (keys == NULL) return;
  if (add(into, keyring, keys, count) && depth > 0) {
    for (size_t i = 0; i < count; ++i) read_from(keys[i], depth - 1, into);
  }
  free(keys);
}

void watchq_read_key_links(int32_t keyring, int below, struct key_links* into) {
  const int error = errno;

  memset(into, 0, sizeof *into);
  read_from(keyring, below ? MAX_DEPTH : 0, into);
  errno = error;
}

void watchq_free_key_links(struct key_links* links) {
  free(links->links);
  free(links->keyrings);
}
