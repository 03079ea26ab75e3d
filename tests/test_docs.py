"""What the documents show runs, and what is made from the code is up to date."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib as mpl
import pytest

from analyses import reference

ROOT = Path(__file__).parent.parent


def blocks(document: str) -> str:
    """All Python blocks of a document, in order, as one program."""
    found = re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(encoding="utf-8"), re.DOTALL)
    assert found, f"{document} has no Python block"
    return "\n".join(found)


@pytest.mark.parametrize(
    "document",
    [
        "docs/exercise.md",
        "docs/report.md",
        "docs/show.md",
        "docs/compare.md",
        "docs/import.md",
        "docs/styles.md",
        "docs/log.md",
        "README.md",
    ],
)
def test_every_python_block_runs_in_order(
    document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with mpl.rc_context({"backend": "Agg"}):
        exec(compile(blocks(document), document, "exec"), {"folder": tmp_path})
    assert capsys.readouterr().out.strip()


def test_the_table_reference_is_up_to_date() -> None:
    assert (ROOT / "docs/tables.md").read_text(encoding="utf-8") == reference.markdown()


def test_the_readme_shows_the_two_commands_of_the_makefile() -> None:
    readme, makefile = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "Makefile"))
    for target in ("demo", "test"):
        assert f"make {target}" in readme
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
