# SPDX-License-Identifier: MIT
"""Who may watch which key: the kernel decides, by the rights of who asks."""

import array
import contextlib
import errno
import itertools
import os
import socket
import threading

import pytest

import keys
import syscalls
from errors import fails_with
from key_fixtures import end_what_hangs, make_key_daemon, own_session  # noqa: F401, fixtures
from keys import KeyKind, KeyNotice
from processes import BlockedCall, Child, in_child
from queue_client import Queue
from stuck_memory import stuck_memory

_numbers = itertools.count()
USER, OTHER, GROUP = 12345, 12346, 23456
# One of this process alone: what a user may have of keys is counted on the whole machine.
QUOTA_USER = 20000 + os.getpid() % 40000

POLL = keys.BACKEND == "poll"


def with_rights(uid, *groups):
    """Like a program of this user in these groups, with a session of its own."""
    os.setgroups(groups)
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    syscalls.set_dumpable()
    keys.join_session()


def as_user(function, *arguments, uid=USER, groups=()):
    def run():
        with_rights(uid, *groups)
        return function(*arguments)

    return in_child(run)


def error_of(call, *arguments):
    """The name of the error, or None."""
    try:
        call(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]
    return None


def watch_error(path, key, by_uid=False):
    with keys.key_queue(path) as queue:
        return error_of(queue.watch_by_uid if by_uid else queue.watch, key)


def make_key(permissions, uid=0, gid=0):
    # Not one that a test before has closed to us.
    key = keys.add_key(keys.SESSION, f"{next(_numbers)}: of {uid}, {gid}, {permissions:x}")
    keys.setperm(key, permissions | keys.POS_ALL)
    keys.chown(key, uid, gid)
    keys.setperm(key, permissions)
    return key


class TestView:
    def test_a_key_for_its_possessor_alone(self, watchqd):
        key = make_key(keys.POS_ALL)
        assert watch_error(watchqd.queue_path, key) is None
        assert watch_error(watchqd.queue_path, key, by_uid=True) == "EACCES"
        assert as_user(watch_error, watchqd.queue_path, key) == "EACCES"

    def test_a_possessed_key_tells_its_possessor(self, watchqd):
        key = make_key(keys.POS_ALL)
        with keys.key_queue(watchqd.queue_path) as queue:
            queue.watch(key)
            keys.update(key, b"a longer payload")
            queue.expect(KeyNotice(KeyKind.UPDATED, key))

    def test_what_the_daemon_possesses_opens_nothing(self, watchqd):
        """Its session is another than that of who started it, in which the key is."""
        key = make_key(keys.POS_ALL)

        def elsewhere():
            keys.join_session()
            return watch_error(watchqd.queue_path, key, by_uid=True)

        assert in_child(elsewhere) == "EACCES"

    def test_another_users_key(self, watchqd):
        key = make_key(keys.USR_ALL, uid=OTHER)
        assert as_user(watch_error, watchqd.queue_path, key) == "EACCES"
        assert as_user(watch_error, watchqd.queue_path, key, uid=OTHER) is None
        assert as_user(watch_error, watchqd.queue_path, key, True, uid=OTHER) is None
        # To be root does not help, for the kernel either.
        assert watch_error(watchqd.queue_path, key) == "EACCES"

    def test_a_groups_key(self, watchqd):
        key = make_key(keys.GRP_VIEW, uid=OTHER, gid=GROUP)
        assert as_user(watch_error, watchqd.queue_path, key) == "EACCES"
        assert as_user(watch_error, watchqd.queue_path, key, groups=[GROUP]) is None
        assert as_user(watch_error, watchqd.queue_path, key, True, groups=[7, GROUP]) is None

    def test_the_owner_has_the_owners_rights_only(self, watchqd):
        key = make_key(keys.OTH_VIEW, uid=USER, gid=OTHER)
        assert as_user(watch_error, watchqd.queue_path, key) == "EACCES"
        assert as_user(watch_error, watchqd.queue_path, key, uid=OTHER + 1) is None

    def test_everybodys_key(self, watchqd):
        key = make_key(keys.OTH_VIEW, uid=OTHER, gid=OTHER)
        assert as_user(watch_error, watchqd.queue_path, key) is None


class TestProcesses:
    def test_the_effective_user_counts(self, watchqd):
        """As in a set-user-ID program."""
        of_root, of_user = make_key(keys.USR_ALL), make_key(keys.USR_ALL, uid=USER)

        def both():
            return [watch_error(watchqd.queue_path, key) for key in (of_root, of_user)]

        def with_ids(real, effective):
            os.setgroups([])
            os.setresuid(real, effective, 0)
            keys.join_session()
            return both()

        assert in_child(with_ids, USER, 0) == [None, "EACCES"]
        assert in_child(with_ids, 0, USER) == ["EACCES", None]

    def test_a_user_namespace(self, watchqd):
        of_root, of_user = make_key(keys.USR_ALL), make_key(keys.USR_ALL, uid=USER)

        def inside():
            with_rights(USER)
            syscalls.unshare(syscalls.CLONE_NEWUSER)
            with open("/proc/self/setgroups", "w", encoding="ascii") as file:
                file.write("deny")
            with open("/proc/self/uid_map", "w", encoding="ascii") as file:
                file.write(f"0 {USER} 1")
            possessed = keys.add_key(keys.SESSION, "possessed")
            keys.setperm(possessed, keys.POS_ALL)
            return [watch_error(watchqd.queue_path, key)
                    for key in (of_root, of_user, possessed)]

        assert in_child(inside) == ["EACCES", None, None]


class TestLater:
    @pytest.mark.parametrize("permissions", [keys.POS_ALL & ~keys.POS_VIEW, 0x003E0000],
                             ids=["of the possessor", "of the owner"])
    def test_view_is_taken_away(self, watchqd, permissions):
        key = make_key(keys.POS_ALL if permissions & keys.POS_ALL else keys.USR_ALL)
        with keys.key_queue(watchqd.queue_path) as queue:
            queue.watch(key)
            keys.setperm(key, permissions)
            # That it was is the last that is told.
            assert queue.rest() in ([KeyNotice(KeyKind.SETATTR, key)], [])
            keys.update(key, b"a longer payload")
            assert queue.rest() == []

    def test_a_look_from_before_shows_nothing_of_what_came_after(self, watchqd):
        """Each time it is another part of the look that the change meets."""
        with keys.key_queue(watchqd.queue_path) as queue:
            for number in range(100):
                key = make_key(keys.POS_ALL)
                queue.watch(key)
                keys.setperm(key, keys.POS_ALL)
                threading.Event().wait(0.018 + number * 0.0001)
                keys.setperm(key, keys.POS_ALL & ~keys.POS_VIEW)
                keys.update(key, b"not to be seen")
            seen = make_key(keys.POS_ALL)
            queue.watch(seen)
            keys.setperm(seen, keys.POS_ALL)
            keys.update(seen, b"seen when all have been looked at")
            last = KeyNotice(KeyKind.UPDATED, seen)
            records = queue.take(lambda records: last in records)
            assert [one for one in records if one.kind != KeyKind.SETATTR] == [last]

    def test_the_possessor_goes_on_where_the_owner_may_no_longer(self, watchqd):
        key = make_key(keys.POS_ALL | keys.USR_ALL)
        with keys.key_queue(watchqd.queue_path) as queue:
            queue.watch(key)
            keys.setperm(key, keys.POS_ALL)
            queue.expect(KeyNotice(KeyKind.SETATTR, key))
            keys.update(key, b"a longer payload")
            queue.expect(KeyNotice(KeyKind.UPDATED, key))

    def test_one_of_two_goes_blind(self, watchqd):
        key = make_key(keys.USR_ALL | keys.OTH_ALL, uid=0)

        def other(channel):
            with_rights(USER)
            with keys.key_queue(watchqd.queue_path) as queue:
                queue.watch(key)
                channel.send("watching")
                channel.recv()
                return [one for one in queue.rest() if one.kind != KeyKind.SETATTR]

        with Child(other) as child, keys.key_queue(watchqd.queue_path) as queue:
            child.receive()
            queue.watch(key)
            keys.setperm(key, keys.USR_ALL)
            queue.expect(KeyNotice(KeyKind.SETATTR, key))
            keys.update(key, b"a longer payload")
            queue.expect(KeyNotice(KeyKind.UPDATED, key))
            child.send("done")
            assert child.receive() == []


class TestQuota:
    def test_who_has_no_room_for_a_key_is_told_so_where_one_is_needed(self, watchqd):
        """To find out who has opened a view takes a key of that user's for a moment."""
        viewable = make_key(keys.USR_ALL, uid=QUOTA_USER)

        def client():
            with_rights(QUOTA_USER)
            # Without the fence: what was made to know its watcher would give its room back later.
            with contextlib.closing(Queue(watchqd.queue_path, 1)) as queue, \
                    open("/proc/keys", "rb") as view:
                possessed = keys.add_key(keys.SESSION, "possessed")
                keys.setperm(possessed, keys.POS_ALL)
                with fails_with(errno.EDQUOT):
                    for number in itertools.count():
                        keys.add_key(keys.SESSION, f"{number}")
                return [error_of(keys.watch_key, queue.fd, key, 1, 0, view.fileno())
                        for key in (viewable, possessed)]

        assert in_child(client) == [None, "EDQUOT"]


class TestForgedViews:
    def test_another_file(self, watchqd):
        key = make_key(keys.POS_ALL)
        with keys.key_queue(watchqd.queue_path) as queue:
            for path in ("/dev/null", "/proc/self/status", "/proc/key-users"):
                with open(path, "rb") as view, fails_with(errno.EINVAL):
                    keys.watch_key(queue.queue.fd, key, view=view.fileno())
            with fails_with(errno.EINVAL):
                keys.watch_key(queue.queue.fd, key, view=queue.queue.fd)

    def test_a_path_only(self, watchqd):
        key = make_key(keys.POS_ALL)
        view = os.open("/proc/keys", os.O_PATH)
        with keys.key_queue(watchqd.queue_path) as queue, fails_with(errno.EINVAL):
            keys.watch_key(queue.queue.fd, key, view=view)
        os.close(view)

    def test_no_file(self, watchqd):
        key = make_key(keys.POS_ALL)
        with keys.key_queue(watchqd.queue_path) as queue, fails_with(errno.EBADF):
            keys.watch_key(queue.queue.fd, key, view=1000)

    @pytest.mark.parametrize("permissions", [keys.USR_ALL, keys.POS_ALL,
                                             keys.POS_ALL | keys.USR_ALL], ids=hex)
    def test_one_that_was_opened_as_root(self, watchqd, permissions):
        key = make_key(permissions)

        def later():
            view = os.open("/proc/keys", os.O_RDONLY)
            with_rights(USER)
            with keys.key_queue(watchqd.queue_path) as queue:
                return error_of(keys.watch_key, queue.queue.fd, key, 1, 0, view)

        assert in_child(later) == "EACCES"

    def test_one_of_another_process_of_the_same_user(self, watchqd):
        """Which is in a session that the client is not in."""
        key = make_key(keys.POS_ALL)
        ours, theirs = socket.socketpair()
        view = os.open("/proc/keys", os.O_RDONLY)

        def client(channel):
            keys.join_session()
            _, ancillary, _, _ = theirs.recvmsg(1, socket.CMSG_SPACE(4))
            received = array.array("i", ancillary[0][2])[0]
            with keys.key_queue(watchqd.queue_path) as queue:
                return error_of(keys.watch_key, queue.queue.fd, key, 1, 0, received)

        with Child(client) as child:
            ours.sendmsg([b"v"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [view]))])
            assert child.receive() == "EACCES"
        os.close(view)

    def test_one_of_somebody_in_a_group_more(self, watchqd):
        key = make_key(keys.GRP_VIEW | keys.POS_ALL, uid=OTHER, gid=GROUP)

        def client():
            os.setgroups([GROUP])
            os.setresgid(USER, USER, USER)
            os.setresuid(USER, USER, 0)
            keys.join_session()
            view = os.open("/proc/keys", os.O_RDONLY)
            os.setresuid(0, 0, 0)
            os.setgroups([])
            os.setresuid(USER, USER, USER)
            syscalls.set_dumpable()
            with keys.key_queue(watchqd.queue_path) as queue:
                return error_of(keys.watch_key, queue.queue.fd, key, 1, 0, view)

        assert in_child(client) == "EACCES"

    def test_a_child_may_use_its_parents_eyes_no_more_than_its_own(self, watchqd):
        """It inherits the open file, and goes to another session."""
        key = make_key(keys.POS_ALL)
        view = os.open("/proc/keys", os.O_RDONLY)

        def client():
            keys.join_session()
            with keys.key_queue(watchqd.queue_path) as queue:
                return error_of(keys.watch_key, queue.queue.fd, key, 1, 0, view)

        assert in_child(client) == "EACCES"
        os.close(view)

    def test_a_view_that_is_not_believed_takes_nothing_away(self, watchqd):
        key = make_key(keys.USR_ALL, uid=USER)

        def client():
            view = os.open("/proc/keys", os.O_RDONLY)
            with_rights(USER)
            with keys.key_queue(watchqd.queue_path) as queue:
                return error_of(keys.watch_key, queue.queue.fd, key, 1, 0, view)

        assert in_child(client) is None

    def test_one_that_can_never_be_read(self, watchqd):
        """A thread of the client reads it into memory that never comes, which keeps all others who
        read that file waiting, and cannot even be killed."""
        key = make_key(keys.POS_ALL)
        other = make_key(keys.USR_ALL, uid=USER)

        def client(_):
            view = os.open("/proc/keys", os.O_RDONLY)
            reader = BlockedCall(syscalls.read_to, view, stuck_memory(), 4096)
            with keys.key_queue(watchqd.queue_path) as queue:
                return error_of(keys.watch_key, queue.queue.fd, key, 1, 0, view), reader is None

        with Child(client) as child:
            assert child.receive() == ("EACCES", False)
            # Others are served meanwhile, and the daemon can end.
            assert as_user(watch_error, watchqd.queue_path, other) is None
            watchqd.stop()
