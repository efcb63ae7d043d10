# SPDX-License-Identifier: MIT
"""Assertions about errno."""

import contextlib
import errno

import pytest


@contextlib.contextmanager
def fails_with(*numbers):
    """What is done inside fails with one of these errno."""
    with pytest.raises(OSError) as raised:
        yield
    names = [errno.errorcode[number] for number in numbers]
    assert errno.errorcode.get(raised.value.errno) in names


@contextlib.contextmanager
def is_refused():
    """What is done inside fails, with whatever errno, but not because the daemon is gone."""
    with pytest.raises(OSError) as raised:
        yield
    assert raised.value.errno not in (errno.ENOTCONN, errno.ECONNABORTED, errno.EIO)
