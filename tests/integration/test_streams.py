# SPDX-License-Identifier: MIT
"""The examples that read the streams of events."""

import json
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest

import namespace
import syscalls
from client_program import ClientProgram
from daemon_process import SOURCE_ROOT
from filesystems import fill
from processes import wait_for

EXAMPLES = SOURCE_ROOT / "examples"
READERS = {"Node": ("node", EXAMPLES / "watch.js"), "shell": (EXAMPLES / "watch.sh",)}


@pytest.fixture(name="watchqd")
def make_watchqd(start_daemon, workspace):
    """A daemon that looks often, and keeps little for a stream that is not read."""
    config = workspace / "config"
    config.write_text(json.dumps({"space_interval_ms": 20, "space_patience_ms": 10000,
                                  "look_interval_ms": 100, "stream_buffer_bytes": 16384}))
    daemon = start_daemon("--config", config).wait_ready()
    yield daemon
    daemon.stop()


@pytest.fixture(name="run")
def make_run(watchqd):
    """Starts an example."""
    started = []

    def run(*command, **environment):
        started.append(ClientProgram(*command, WATCHQ_MOUNT=str(watchqd.mount_point),
                                     **environment))
        return started[-1]

    yield run
    for program in started:
        with program:
            pass


@pytest.fixture(name="reader", params=READERS.values(), ids=READERS.keys())
def make_reader(request, run, base):
    """An example that prints what happens below `base`, and watches."""
    program = run(*request.param, base)
    program.out.wait_for(containing=f"watching {base}")
    return program


def set_read_only(path, read_only=True):
    flag = syscalls.MS_RDONLY if read_only else 0
    syscalls.mount(None, path, None, syscalls.MS_REMOUNT | flag)


def test_it_prints_what_happens_below_its_path(reader, base, fence_directory):
    namespace.mount_tmpfs(fence_directory / "elsewhere")
    namespace.mount_tmpfs(base / "with blank")
    reader.out.wait_for(containing=f"{base}/with blank mounted")
    set_read_only(base / "with blank")
    reader.out.wait_for(containing="now read-only")
    set_read_only(base / "with blank", False)
    namespace.umount(base / "with blank")
    reader.out.wait_for(containing=f"{base}/with blank unmounted")
    assert not any("elsewhere" in line for line in reader.out.so_far())


def test_after_a_loss_it_takes_stock_again(reader, base):
    """It is stopped while more happens than is kept for it."""
    reader.send_signal(signal.SIGSTOP)
    for number in range(300):
        namespace.mount_tmpfs(base / str(number))
        if number % 10:
            namespace.umount(base / str(number))
    reader.send_signal(signal.SIGCONT)
    lines = reader.out.wait_for(containing="lost")
    at = next(at for at, line in enumerate(lines) if line.startswith("lost"))

    def listed():
        return {line for line in reader.out.so_far()[at:] if line.startswith("there ")}

    there = {f"there {line.mount_point}" for line in namespace.mounts()
             if line.mount_point.startswith(f"{base}/")}
    wait_for(lambda: there <= listed(), "it to list what is mounted")


def test_it_says_when_the_daemon_goes_away(watchqd, reader):
    watchqd.stop()
    code, _, err = reader.wait()
    assert (code, "the daemon has gone" in err[-1]) == (1, True), err


# ---- alert.sh ----------------------------------------------------------------------------------


def wait_until_watched(watchqd, place, kind="space", seen_by="look"):
    """A superblock is examined a while after it has been mounted: until then nothing is seen."""
    device = device_of(place)

    def watched():
        return any(
            superblock["device"] == device and
            any((event["kind"], event["seen_by"]) == (kind, seen_by)
                for event in superblock["events"])
            for superblock in watchqd.status()["sources"]["superblocks"]["watched"])

    wait_for(watched, f"{place} to be watched")


def device_of(place):
    line, = re.findall(rf"^\d+ \d+ (\d+:\d+) \S+ {re.escape(str(place))} ",
                       Path("/proc/self/mountinfo").read_text(), re.MULTILINE)
    return line


def test_an_alert_comes_when_a_filesystem_is_read_only_or_full(watchqd, run, workspace, base):
    place = base / "small"
    place.mkdir()
    syscalls.mount("small", place, "tmpfs", data="size=256k")
    alerts = workspace / "alerts"
    program = run(EXAMPLES / "alert.sh", ALERT=f"tee -a {alerts}")
    wait_until_watched(watchqd, place)

    def is_told():
        """What is full when it is looked at for the first time is not told."""
        (place / "file").unlink(missing_ok=True)
        fill(place / "file")
        return any("is full" in line for line in program.out.so_far())

    wait_for(is_told, "the alert")
    assert f"filesystem {place} is full" in program.out.so_far()
    set_read_only(place)
    program.out.wait_for(containing=f"{place} is now read-only")
    wait_for(lambda: alerts.read_text().splitlines() == program.out.so_far(), "tee")
    assert len(re.findall(r"^[^#\n]", (EXAMPLES / "alert.sh").read_text(), re.MULTILINE)) <= 10


# ---- ship-to-journal ---------------------------------------------------------------------------


def fields_of(entry):
    return dict(line.split("=", 1) for line in entry.decode().splitlines())


def test_events_are_shipped_to_the_journal_with_their_fields(watchqd, run, workspace, base):
    namespace.mount_tmpfs(base / "a")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(workspace / "journal"))
        journal.settimeout(30)
        run(EXAMPLES / "ship-to-journal", "--socket", workspace / "journal")
        wait_until_watched(watchqd, base / "a")
        set_read_only(base / "a")
        # The mount's own flag is told as well.
        entry = next(entry for entry in iter(lambda: fields_of(journal.recv(65536)), None)
                     if entry["WATCHQ_TYPE"] == "superblock")
        assert (entry["PRIORITY"], entry["SYSLOG_IDENTIFIER"]) == ("3", "watchq")
        assert entry["MESSAGE"].endswith(f"{base}/a is now read-only")
        assert (entry["WATCHQ_TYPE"], entry["WATCHQ_SUBTYPE"]) == ("superblock", "readonly")
        assert (entry["WATCHQ_PATH"], entry["WATCHQ_READ_ONLY"]) == (f"{base}/a", "true")
        set_read_only(base / "a", False)
        assert fields_of(journal.recv(65536))["PRIORITY"] == "6"


def test_what_has_a_newline_in_it_is_shipped_whole(run, workspace, base):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(workspace / "journal2"))
        journal.settimeout(30)
        program = run(EXAMPLES / "ship-to-journal", "--socket", workspace / "journal2")

        def shipped():
            namespace.mount_tmpfs(base / "two\nlines")
            namespace.umount(base / "two\nlines")
            journal.settimeout(0.05)
            try:
                return journal.recv(65536)
            except TimeoutError:
                assert not program.ended()
                return None

        entry = b""
        while b"WATCHQ_PATH" not in entry:
            entry = shipped() or b""
        path = f"{base}/two\nlines".encode()
        assert b"WATCHQ_PATH\n" + len(path).to_bytes(8, "little") + path + b"\n" in entry


# ---- remount-lines -----------------------------------------------------------------------------


def kernel_lines(device):
    log = subprocess.run(["dmesg"], check=True, capture_output=True, text=True).stdout
    return re.findall(rf"^\[[ \d.]+\] (.*\({device}\): Remounting filesystem read-only)$", log,
                      re.MULTILINE)


def test_its_line_is_the_kernels(watchqd, run, make_filesystem):
    filesystem = make_filesystem(options="errors=remount-ro")
    program = run(EXAMPLES / "remount-lines")
    wait_until_watched(watchqd, filesystem.place, "error", "event")
    Path(f"/sys/fs/ext4/{filesystem.name}/trigger_fs_error").write_text("x", encoding="ascii")
    line = program.out.wait_for(count=1)[0]
    assert re.fullmatch(r"\[ *\d+\.\d{6}\] .*", line)
    # How many there are says nothing: the kernel's log is a ring, and limits how often it says so.
    assert line.split("] ", 1)[1] in kernel_lines(filesystem.name)


def test_what_is_made_read_only_on_purpose_gives_no_line(watchqd, run, base, make_filesystem):
    filesystem = make_filesystem(options="errors=remount-ro")
    program = run(EXAMPLES / "remount-lines")
    wait_until_watched(watchqd, filesystem.place, "error", "event")
    set_read_only(filesystem.place)
    set_read_only(filesystem.place, False)
    Path(f"/sys/fs/ext4/{filesystem.name}/trigger_fs_error").write_text("x", encoding="ascii")
    assert len(program.out.wait_for(count=1)) == 1
