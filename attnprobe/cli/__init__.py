"""The command line. Everything heavy is imported inside the commands, so that --help answers at once.

This is the one place in the package that may import ``analyses`` and ``reports``, and does so only within functions.
A command is a function in one of the modules here, named in :mod:`attnprobe.cli.commands`:

    making.py    study, train, analyze, report: what fills a run folder
    asking.py    query, show, compare: what asks it
    foreign.py   import, export: weights from elsewhere, and for elsewhere
    options.py   options that commands share, and the settings of a run
    output.py    what is printed, and the formats of query
    stopping.py  Ctrl-C and SIGTERM
"""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any, NoReturn

from attnprobe.cli.stopping import watched

if TYPE_CHECKING:
    from attnprobe.cli.commands import app

__all__ = ["app", "main"]

MOST_SAID = 10_000  # characters of a message: a word of a command line may have 100,000


def main() -> None:
    """Run the command line; bad input is one message and exit code 2, being stopped one sentence and 130 or 143."""
    with watched():
        from attnprobe.cli.commands import app
        from attnprobe.errors import AttnprobeError

        _plain_warnings()
        try:
            app()
        except AttnprobeError as error:
            _refuse(str(error))
        except BrokenPipeError:
            raise
        except OSError as error:  # a name that is too long, a folder that may not be looked into
            where = f" {error.filename}" if error.filename else ""
            _refuse(f"Cannot use{where}: {(error.strerror or str(error)).lower()}.")


def _refuse(message: str) -> NoReturn:
    from attnprobe.errors import printable

    more = "..." if len(message) > MOST_SAID else ""
    print(f"attnprobe: {printable(message[:MOST_SAID])}{more}", file=sys.stderr)
    sys.exit(2)


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
