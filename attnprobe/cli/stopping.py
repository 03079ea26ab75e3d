"""Ctrl-C, or SIGTERM as batch systems send it: any command ends within about a second, with one sentence.

The main thread may sit in compiled code, or wait for threads that do, where no exception reaches it. So a thread
watches: for each signal Python's handler in C writes a byte (``signal.set_wakeup_fd``), whatever the main thread does.

    at once           the main thread gets :class:`Stopped` at its next step in Python, unwinds, says why, and exits
    after GRACE       if it has not come to its end by then, the watcher says the sentence and ends the process
    a second signal   ends the process at once

Ending hard loses nothing that ending softly would keep: files are written whole or not at all.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Stopped", "keeping", "on_stop", "stopped", "watched"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)
GRACE = 1.0  # seconds that the main thread has to come to its end
ECHO = 0.1  # seconds within which the same Ctrl-C may arrive twice: from the terminal, and passed on by a parent
UNTOUCHED = "Nothing was changed; the same command begins again."
SHOW_CURSOR = "\x1b[?25h"  # a progress bar hides it


class Stopped(BaseException):
    """The main thread was told to stop. (Not a KeyboardInterrupt: Typer would end without a word on those.)"""

    def __init__(self, number: int = signal.SIGINT) -> None:
        super().__init__(number)
        self.number = number


class _Words:
    """What is to be said when the command is stopped, and who else is told; said once."""

    def __init__(self) -> None:
        self.kept: Callable[[], str] = lambda: UNTOUCHED
        self.listeners: list[Callable[[str, str], None]] = []
        self.said = False
        self.stopped = False  # the main thread was interrupted: what fails from here on fails for that
        self.lock = threading.Lock()

    def say(self, number: int, write: Callable[[str], None]) -> None:
        if not self.lock.acquire(timeout=GRACE / 4):
            return
        try:
            if not self.said:
                self.said = True
                kept = self.kept()
                for listener in self.listeners:
                    listener(signal.Signals(number).name, kept)
                write(f"Stopped. {kept}\n")
        finally:
            self.lock.release()


_words = _Words()


def keeping(kept: str | Callable[[], str]) -> None:
    """From here on, say this when the command is stopped: what is kept, and how to go on.

    A callable is asked at that moment, perhaps by another thread: it must answer at once.
    """
    _words.kept = (lambda: kept) if isinstance(kept, str) else kept


def stopped() -> bool:
    """Whether the command was told to stop: an error that comes now comes from that."""
    return _words.stopped


@contextmanager
def on_stop(listener: Callable[[str, str], None]) -> Iterator[None]:
    """For as long as the context lasts, tell this too: the signal's name, and the sentence."""
    _words.listeners.append(listener)
    yield
    _words.listeners.remove(listener)  # not after an exception: it may be the one to be told of


@contextmanager
def watched() -> Iterator[None]:
    """Whatever runs within can be stopped; it then ends in SystemExit with the exit code that shells expect."""
    global _words
    _words = _Words()
    watcher: _Watcher | None = None
    heard = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # a signal that comes now waits until all is set
    try:
        if threading.current_thread() is threading.main_thread():
            watcher = _Watcher()
        signal.pthread_sigmask(signal.SIG_SETMASK, heard)
        yield
    except BaseException as error:
        # An exception that comes after a signal comes from it: an import that is broken off may raise anything.
        number = error.number if isinstance(error, Stopped) else watcher and watcher.number
        if not number:
            raise
        _words.say(number, _print)
        raise SystemExit(128 + number) from None
    finally:
        if watcher and not watcher.number:
            watcher.end()  # else it stays: threads that still work may keep the interpreter from ending


class _Watcher:
    """Sees signals while the main thread cannot."""

    def __init__(self) -> None:
        self.number = 0  # of the first signal
        self.ended = False  # the command came to its end: too late to stop it
        self.reading, writing = os.pipe()
        os.set_blocking(writing, False)
        self.writing = writing
        self.wakeup_before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        # A command that was started with a signal ignored (nohup, a background job) goes on ignoring it.
        heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        self.before = {number: signal.signal(number, self._interrupt) for number in heard}
        self.thread = threading.Thread(target=self._watch, name="stopping", daemon=True)
        self.thread.start()
        atexit.register(_end_at_once)

    def end(self) -> None:
        self.ended = True
        for number, handler in self.before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self.wakeup_before)
        os.close(self.writing)  # the thread reads the end
        self.thread.join()
        os.close(self.reading)

    def _interrupt(self, number: int, _: FrameType | None) -> None:
        """In the main thread."""
        if not self.number and not self.ended:
            self.number = number
            _words.stopped = True
            # Where the exception cannot be passed on (a callback, a destructor), Python would print a traceback.
            sys.unraisablehook = lambda _: None
            threading.excepthook = lambda _: None
            raise Stopped(number)

    def _watch(self) -> None:
        """In a thread of its own: wait for a signal, then for the end, and bring it about if it does not come."""
        number = self._next(None)
        if number is None:
            return
        began = time.monotonic()
        while self._next(began + ECHO - time.monotonic()):
            pass
        self._next(began + GRACE - time.monotonic())
        _words.say(number, _write)
        os._exit(128 + number)

    def _next(self, timeout: float | None) -> int | None:
        """The next signal that stops, if it comes in time and before the end."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not select.select([self.reading], [], [], left)[0]:
                return None
            byte = os.read(self.reading, 1)
            if not byte:
                return None
            if byte[0] in self.before:
                return byte[0]


def _end_at_once() -> None:
    """While the interpreter takes itself apart, Ctrl-C would print a traceback."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _print(text: str) -> None:
    """By the main thread, after all has unwound."""
    if sys.stderr is not None:
        newline = "\n" if sys.stderr.isatty() else ""  # after the ^C that a terminal shows
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(newline + text)
            sys.stderr.flush()


def _write(text: str) -> None:
    """By the watcher, past all buffers and locks; nor does it wait for a pipe that nobody reads."""
    with contextlib.suppress(OSError, ValueError):
        if select.select([], [2], [], GRACE / 4)[1]:
            before = f"{SHOW_CURSOR}\n" if os.isatty(2) else ""
            encoding = (sys.stderr and sys.stderr.encoding) or "utf-8"
            os.write(2, (before + text).encode(encoding, "backslashreplace"))
