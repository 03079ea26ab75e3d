"""The command line. Everything heavy is imported inside the commands, so that --help answers at once.

This is the one place in the package that may import ``analyses`` and ``reports``, and does so only within functions.
A command is a function in one of the modules here, named in :mod:`attnprobe.cli.commands`:

    making.py    study, train, analyze, report: what fills a run folder
    asking.py    query, show, compare: what asks it
    foreign.py   import, export: weights from elsewhere, and for elsewhere
    options.py   options that commands share, and the settings of a run
    output.py    what is printed, and the formats of query
    checking.py  verify
    telling.py   bars, plain lines and the log (log.py) of what a command does
    stopping.py  Ctrl-C and SIGTERM
    standard.py  standard output and error that are closed or full
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from typing import TYPE_CHECKING, Any

from attnprobe.cli import standard
from attnprobe.cli.stopping import watched

if TYPE_CHECKING:
    from attnprobe.cli.commands import app

__all__ = ["app", "main"]

MOST_SAID = 10_000  # characters of a message: a word of a command line may have 100,000


def main() -> None:
    """Run the command line; bad input is one message and exit code 2, being stopped one sentence and 130 or 143."""
    standard.open_all()
    with watched():
        from attnprobe.cli.commands import app
        from attnprobe.errors import AttnprobeError, printable

        _plain_warnings()
        message, code = "", 2
        try:
            app()
        except SystemExit as end:  # as Typer always ends
            code = end.code if isinstance(end.code, int) else 0
        except AttnprobeError as error:
            message = str(error)
        except BrokenPipeError:  # whoever read what is printed has read enough
            code = 0
        except OSError as error:
            message = f"{error.strerror or error}" + (f": {str(error.filename)!r}" if error.filename else "") + "."
        except MemoryError as error:
            message = f"There is not enough memory. {error}".strip()
        unsaid = standard.flush()
        if unsaid and not message and code == 0:
            message, code = f"Cannot print: {unsaid}.", 2
        if message:
            with contextlib.suppress(OSError, ValueError):
                print(f"attnprobe: {printable(message[:MOST_SAID])}", file=sys.stderr, flush=True)
        sys.exit(code)


def _plain_warnings() -> None:
    """Our own warnings as one line, without the line of code that gave them."""
    from attnprobe.errors import AttnprobeWarning, printable

    usual = warnings.formatwarning

    def plain(message: Any, category: type[Warning], *where: Any, **more: Any) -> str:
        if issubclass(category, AttnprobeWarning):
            return f"attnprobe: note: {printable(str(message))}\n"
        return usual(message, category, *where, **more)

    warnings.formatwarning = plain


def __getattr__(name: str) -> Any:
    if name != "app":
        raise AttributeError(f"module 'attnprobe.cli' has no attribute {name!r}")
    from attnprobe.cli.commands import app

    return app
