/* SPDX-License-Identifier: MIT */
/* What the programs in the kernel tell of keys. Read by C for BPF and by C++. */
#pragma once

enum WatchqKeyFactKind {
  /* as the subtypes of key records */
  WATCHQ_KEY_INSTANTIATED = 0,
  WATCHQ_KEY_UPDATED = 1,
  WATCHQ_KEY_LINKED = 2,
  WATCHQ_KEY_UNLINKED = 3,
  WATCHQ_KEY_CLEARED = 4,
  WATCHQ_KEY_REVOKED = 5,
  WATCHQ_KEY_INVALIDATED = 6,
  WATCHQ_KEY_SETATTR = 7,
  /* and the end of a key */
  WATCHQ_KEY_FREED = 8,
};

struct WatchqKeyFact {
  unsigned int kind;
  int key;
  int aux;          /* the other key of a link, or the error of a negative key */
  unsigned int pid; /* of who did it, in the pid namespace of who listens; 0: not in there */
};
