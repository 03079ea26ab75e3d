"""Runs commands in children of a process that has loaded everything; kills them at a moment or at a disk operation.

One request a line, as JSON: ``argv``, ``cwd``, and ``operation`` (the child is killed as it is about to begin its
operation of that number on the disk, counted from 0) or ``after`` (seconds after which it is killed) or ``largest``
(bytes that a file may have), or none of these.
The answer is one line: ``[exit code or minus signal, disk operations begun]``.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import signal
import sys
import tempfile
import time

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
CHANGES = ("os.rename", "os.remove", "os.mkdir")


def watch(cwd: str, kill_at: int | None, told: int) -> None:
    """Count operations below ``cwd`` that change the disk; end this process with SIGKILL at one of them."""
    begun = 0

    def hook(event: str, arguments: tuple) -> None:
        nonlocal begun
        opened = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES
        if not (opened or event in CHANGES) or not str(arguments[0]).startswith(cwd):
            return
        if begun == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        begun += 1
        os.pwrite(told, str(begun).encode().ljust(12), 0)

    sys.addaudithook(hook)


def child(request: dict, told: int) -> None:
    from attnprobe import cli

    os.chdir(request["cwd"])
    sys.argv = ["attnprobe", *request["argv"]]
    watch(request["cwd"], request.get("operation"), told)
    if "largest" in request:  # bytes that a file may have: to write more fails as it does on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["largest"], request["largest"]))
    code = 1
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            cli.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    os._exit(code)


def answer(request: dict) -> tuple[int, int]:
    told = os.memfd_create("operations")
    pid = os.fork()
    if pid == 0:
        try:
            child(request, told)
        finally:
            os._exit(99)
    if "after" in request:
        time.sleep(request["after"])  # the moment of death is what is asked for, not a wait for something to happen
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    operations = int(os.pread(told, 12, 0) or b"0")
    os.close(told)
    return os.waitstatus_to_exitcode(status), operations


def main() -> None:
    import torch

    import analyses
    import attnprobe as ap
    import reports

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:  # everything is compiled and loaded before the first child
        run = ap.train(ap.Config(hidden=3, steps=1, batch_size=3, snapshots=0), [0], f"{folder}/run", threads=1)
        analyses.write(run, ["focus"])
        reports.draw(run, "focus")
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
