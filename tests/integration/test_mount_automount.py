# SPDX-License-Identifier: MIT
"""Mounts that come when somebody walks there, and go when nobody uses them."""

import os

import pytest

import namespace
import syscalls
from automounter import automounter
from records import Kind, Notice, gone, new


def expired(on, mount, **more):
    return Notice(Kind.EXPIRY, on, mount, **more)


@pytest.fixture(name="base_id")
def make_base_id(base):
    return namespace.mount_id(base)


def walk_in_and_expire(queue, place, trigger, expire):
    """Has something mounted at a place by walking there and taken away again, which is told."""
    os.listdir(place)
    mounted = namespace.mount_id(place)
    assert mounted != trigger
    assert queue.told() == [new(trigger, mounted, in_subtree=True, flag=True)]
    expire()
    assert queue.told() == [expired(trigger, mounted, in_subtree=True),
                            gone(trigger, mounted, in_subtree=True)]


@pytest.mark.parametrize("helpers", [False, True], ids=["by itself", "by helpers"])
def test_what_an_automounter_mounts_is_a_submount_and_expires(mount_queue, base, base_id, helpers):
    os.mkdir(base / "auto")
    mount_queue.watch(base)
    with automounter(base / "auto", helpers=helpers) as expire:
        trigger = namespace.mount_id(base / "auto")
        assert mount_queue.told() == [new(base_id, trigger)]
        for _ in range(2):
            walk_in_and_expire(mount_queue, base / "auto" / "x", trigger, expire)


def test_a_direct_automount_is_told_as_on_its_trigger(mount_queue, base):
    os.mkdir(base / "auto")
    with automounter(base / "auto", direct=True) as expire:
        trigger = namespace.mount_id(base / "auto")
        mount_queue.watch(base)
        walk_in_and_expire(mount_queue, base / "auto", trigger, expire)


@pytest.mark.parametrize("lazy", [False, True])
def test_a_users_unmount_of_what_was_automounted_is_no_expiry(mount_queue, base, lazy):
    os.mkdir(base / "auto")
    with automounter(base / "auto"):
        os.listdir(base / "auto" / "x")
        trigger = namespace.mount_id(base / "auto")
        mounted = namespace.mount_id(base / "auto" / "x")
        mount_queue.watch(base)
        namespace.umount(base / "auto" / "x", lazy)
        assert mount_queue.told() == [gone(trigger, mounted, in_subtree=True)]


def test_a_users_mount_on_a_trigger_is_no_submount_and_its_end_no_expiry(mount_queue, base):
    os.mkdir(base / "auto")
    with automounter(base / "auto"):
        trigger = namespace.mount_id(base / "auto")
        mount_queue.watch(base)
        mounted = namespace.mount_tmpfs(base / "auto")
        assert mount_queue.told() == [new(trigger, mounted, in_subtree=True)]
        namespace.umount(base / "auto")
        assert mount_queue.told() == [gone(trigger, mounted, in_subtree=True)]


def test_what_is_mounted_on_an_automounted_filesystem_is_no_submount(mount_queue, base):
    os.mkdir(base / "auto")
    with automounter(base / "auto"):
        os.listdir(base / "auto" / "x")
        mounted = namespace.mount_id(base / "auto" / "x")
        mount_queue.watch(base)
        inner = namespace.mount_tmpfs(base / "auto" / "x" / "inner")
        assert mount_queue.told() == [new(mounted, inner, in_subtree=True)]
        namespace.umount(base / "auto" / "x" / "inner")
        assert mount_queue.told() == [gone(mounted, inner, in_subtree=True)]


def test_what_the_kernel_mounts_by_itself_is_a_submount(mount_queue, base, base_id):
    """debugfs has tracefs mounted in it when somebody walks there."""
    os.mkdir(base / "debug")
    mount_queue.watch(base)
    syscalls.mount("debug", base / "debug", "debugfs")
    debug = namespace.mount_id(base / "debug")
    if not os.path.isdir(base / "debug" / "tracing" / "events"):
        pytest.skip("needs a kernel whose debugfs mounts tracefs")
    tracing = namespace.mount_id(base / "debug" / "tracing")
    assert mount_queue.told() == [new(base_id, debug),
                                  new(debug, tracing, in_subtree=True, flag=True)]
    namespace.umount(base / "debug" / "tracing")
    assert mount_queue.told() == [gone(debug, tracing, in_subtree=True)]


def test_mountinfo_alone_takes_all_that_ends_on_a_trigger_for_expired(start_daemon,
                                                                      open_queue_of, base):
    daemon = start_daemon("--mount-backend", "mountinfo").wait_ready()
    queue = open_queue_of(daemon)
    os.mkdir(base / "auto")
    with automounter(base / "auto") as expire:
        trigger = namespace.mount_id(base / "auto")
        queue.watch(base)
        walk_in_and_expire(queue, base / "auto" / "x", trigger, expire)
    daemon.stop()
