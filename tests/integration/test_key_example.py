# SPDX-License-Identifier: MIT
"""The example that watches a credential cache."""

import time

import keys
from client_program import BUILD_ROOT, ClientProgram
from key_fixtures import end_what_hangs, make_key_daemon, own_session  # noqa: F401, fixtures

PROGRAM = BUILD_ROOT / "examples" / "key_watch"
TICKET, SERVICE = "krbtgt/EXAMPLE.ORG@EXAMPLE.ORG", "nfs/server.example.org@EXAMPLE.ORG"


def renew(program, ticket):
    """Until it is noticed. Comparing does not see what happens to a key between when it was linked
    and the first look at it."""
    for length in range(1, 3000):
        keys.update(ticket, b"x" * length)
        if keys.BACKEND != "poll":
            break
        time.sleep(0.01)
        if any(line == f"renewed: {SERVICE}" for line in program.out.so_far()):
            return
    program.out.wait_for(containing=f"renewed: {SERVICE}")


def test_a_credential_cache_is_noticed_when_it_changes(watchqd):
    cache = keys.add_keyring(keys.SESSION, "krb5cc")
    # Everybody of the user may read it, as libkrb5 has it for persistent caches: comparing sees then
    # which ticket it was.
    keys.setperm(cache, keys.POS_ALL | keys.USR_ALL)
    ticket = keys.add_key(cache, TICKET, b"first")
    with ClientProgram(PROGRAM, "--queue", watchqd.queue_path, "krb5cc") as program:
        program.out.wait_for(containing="watching krb5cc")
        program.out.wait_for(containing=f"ticket: {TICKET}")
        service = keys.add_key(cache, SERVICE, b"first")
        program.out.wait_for(containing=f"new ticket: {SERVICE}")
        renew(program, service)
        keys.set_timeout(ticket, 1)
        program.out.wait_for(containing=f"expired or revoked: {TICKET}")
        keys.unlink(service, cache)
        program.out.wait_for(containing=f"gone: {SERVICE}")
        keys.unlink(cache, keys.SESSION)
        code, out, err = program.wait()
        assert (code, err) == (0, [])
        assert out[-1] == "the cache is gone"


def test_it_says_when_there_is_no_such_cache(watchqd):
    with ClientProgram(PROGRAM, "--queue", watchqd.queue_path, "none of this name") as program:
        code, _, err = program.wait()
        assert code == 1
        assert "Required key not available" in err[-1]
