/* SPDX-License-Identifier: MIT
 * What an event is called. */
#pragma once

#include <stdint.h>

#if defined(__cplusplus)
extern "C" {
#endif

struct event_names {   // NOLINT(readability-identifier-naming): as C has it
  const char* name;    /* stable, for programs */
  const char* words;   /* for people */
  const char* flagged; /* the words when WATCH_INFO_FLAG_0 is set; NULL: the same */
};

/* NULL when type or subtype is unknown. */
const struct event_names* watchq_event_names(uint32_t type, uint32_t subtype);

#if defined(__cplusplus)
}
#endif
