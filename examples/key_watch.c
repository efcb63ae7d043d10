/* SPDX-License-Identifier: MIT
 *
 * key_watch: notices a credential cache in a keyring the moment it changes.
 *
 * Kerberos can keep its tickets in a keyring (a cache named KEYRING:...): one keyring for each
 *cache, in it a key for each ticket, named as the service that it is for. A program that has to
 *know of them (a file server's client, an agent that renews them) looks every few seconds, on
 *kernels without CONFIG_WATCH_QUEUE. This one is told.
 *
 * It prints what the cache holds, then each change: a ticket comes, is renewed, goes; the cache is
 * emptied, or gone, which ends the program.
 *
 * Build and run, with watchqd on /watchq:
 *
 *	cc key_watch.c -o key_watch $(pkg-config --cflags --libs watchq)
 *	./key_watch [--queue FILE] [CACHE]
 *
 * CACHE is the description of a keyring that can be found from the session keyring; "krb5cc" when
 * left out. A session, with keyctl(1) typed elsewhere:
 *
 *	$ keyctl newring krb5cc @s; ./key_watch
 *	watching krb5cc
 *	new ticket: krbtgt/EXAMPLE.ORG@EXAMPLE.ORG
 *	renewed: krbtgt/EXAMPLE.ORG@EXAMPLE.ORG
 *	expired or revoked: krbtgt/EXAMPLE.ORG@EXAMPLE.ORG
 *	gone: krbtgt/EXAMPLE.ORG@EXAMPLE.ORG
 *	the cache is gone
 */
#include <errno.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <watchq/watchq.h>

enum { TAG = 1, MOST_TICKETS = 256, LONGEST_NAME = 128 };

/* A ticket that has gone can no longer be asked for its name. */
static struct {
  int32_t key;
  char name[LONGEST_NAME];
} tickets[MOST_TICKETS];

static const char* name_of(int32_t key) {
  for (size_t i = 0; i < MOST_TICKETS; ++i) {
    if (tickets[i].key == key) return tickets[i].name;
  }
  return "?";
}

static void remember(int32_t key, const char* name) {
  size_t i = 0;

  while (i < MOST_TICKETS - 1 && tickets[i].key != 0 && tickets[i].key != key) ++i;
  tickets[i].key = key;
  snprintf(tickets[i].name, sizeof tickets[i].name, "%s", name);
}

static void forget(int32_t key) {
  for (size_t i = 0; i < MOST_TICKETS; ++i) {
    if (tickets[i].key == key) tickets[i].key = 0;
  }
}

/* The description of a key that we may view: "type;uid;gid;perm;description". */
static int ask_name(int32_t key, char* name, size_t size) {
  char text[512];
  const char* description;
  const long length = syscall(SYS_keyctl, KEYCTL_DESCRIBE, key, text, sizeof text);

  if (length < 0 || (size_t)length > sizeof text) return -1;
  description = text;
  for (int field = 0; field < 4; ++field) {
    description = strchr(description, ';');
    if (description == NULL) return -1;
    ++description;
  }
  snprintf(name, size, "%s", description);
  return 0;
}

/* Returns 0 when the cache has gone. */
static int show(const struct watch_notification* record, int32_t cache, int* complete) {
  const struct key_notification* event = (const void*)record;
  char name[LONGEST_NAME];

  if (record->type == WATCH_TYPE_META && record->subtype == WATCH_META_REMOVAL_NOTIFICATION) {
    puts("the cache is gone");
    return 0;
  }
  if (watchq_record_lost_before(record)) puts("something was lost: look for yourself");
  if (record->type == WATCHQ_TYPE_SNAPSHOT) *complete = 1;
  if (record->type != WATCH_TYPE_KEY_NOTIFY) return 1;
  if ((int32_t)event->key_id != cache) {
    if (record->subtype == NOTIFY_KEY_UPDATED)
      printf("renewed: %s\n", name_of((int32_t)event->key_id));
    if (record->subtype == NOTIFY_KEY_REVOKED) {
      printf("expired or revoked: %s\n", name_of((int32_t)event->key_id));
    }
    return 1;
  }
  switch (record->subtype) {
    case NOTIFY_KEY_LINKED:
      if (ask_name((int32_t)event->aux, name, sizeof name) == 0)
        remember((int32_t)event->aux, name);
      printf("%s: %s\n", *complete ? "new ticket" : "ticket", name_of((int32_t)event->aux));
      break;
    case NOTIFY_KEY_UNLINKED:
      printf("gone: %s\n", name_of((int32_t)event->aux));
      forget((int32_t)event->aux);
      break;
    case NOTIFY_KEY_CLEARED:
      memset(tickets, 0, sizeof tickets);
      puts("the cache is empty");
      break;
    default:
      break;
  }
  return 1;
}

static int fail(const char* what) {
  fprintf(stderr, "key_watch: %s: %s\n", what, strerror(errno));
  return 1;
}

int main(int argc, char** argv) {
  const char* path = NULL;
  const char* description = "krb5cc";
  const struct watch_notification* record;
  struct watchq_queue* queue;
  size_t length;
  int32_t cache;
  int complete = 0;

  if (argc > 2 && strcmp(argv[1], "--queue") == 0) {
    path = argv[2];
    argc -= 2;
    argv += 2;
  }
  if (argc > 1) description = argv[1];
  cache = (int32_t)syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "keyring",
                           description, 0);
  if (cache < 0) return fail(description);
  queue = watchq_open(path, 0);
  if (queue == NULL) return fail("the queue");
  if (watchq_watch_key(cache, watchq_fd(queue), TAG, WATCHQ_CHILDREN | WATCHQ_SNAPSHOT) != 0) {
    return fail(description);
  }
  printf("watching %s\n", description);
  for (;;) {
    int found;

    while ((found = watchq_next(queue, &record, &length)) == 1) {
      if (show(record, cache, &complete)) continue;
      watchq_close(queue);
      return 0;
    }
    fflush(stdout);
    if (found < 0 || watchq_wait(queue, -1) < 0) return fail("the queue");
  }
}
