# SPDX-License-Identifier: MIT
"""A daemon where /proc is not what it usually is. Sanitizers cannot do without it."""

import subprocess

from daemon_process import EXECUTABLE
from queue_client import DEADLINE, TRANSPORT


def in_pid_namespace(script):
    """What a shell says that is the first process of pid and mount namespaces of its own."""
    return subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script],
                          capture_output=True, text=True, timeout=DEADLINE, check=False)


SERVE = """
{proc}
: >'{place}.log'
'{program}' --transport '{transport}' '{place}' 2>'{place}.log' & daemon=$!
until grep -q 'ready on' '{place}.log'; do kill -0 $daemon || exit 9; done
{use}
kill $daemon
wait $daemon
"""


def serve(place, proc, use):
    return in_pid_namespace(SERVE.format(proc=proc, program=EXECUTABLE, place=place, use=use,
                                         transport=TRANSPORT))


def test_a_proc_that_hides_processes_from_others_is_no_obstacle(mount_point):
    result = serve(mount_point, "mount -t proc -o hidepid=2 proc /proc",
                   f"cat '{mount_point}/status'; ls '{mount_point}/mounts'")
    assert result.returncode == 0, result
    assert '"version"' in result.stdout


def test_without_proc_it_serves_what_needs_none_and_refuses_the_rest(mount_point):
    result = serve(mount_point, "mount -t tmpfs none /proc",
                   f"cat '{mount_point}/status'; ls '{mount_point}/mounts' || echo refused")
    assert result.returncode == 0, result
    assert '"version"' in result.stdout
    assert "refused" in result.stdout
