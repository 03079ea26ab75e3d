"""The house's walls: who imports whom, and what is loaded when.

task + population + model -> training -> run folder -> analyses -> reports, and never back.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import attnprobe as ap

ROOT = Path(__file__).parents[1]
ROOMS = ("attnprobe", "analyses", "reports")
HEAVY = ("torch", "numba", "matplotlib", "pandas", "pydantic")


class Import(NamedTuple):
    """One imported name, dotted in full, and whether it is loaded together with the module."""

    name: str
    at_once: bool
    line: int


def imports(source: str, module: str, package: bool = False) -> list[Import]:
    """Every import statement of a module's source; ``if TYPE_CHECKING`` blocks load nothing."""
    found: list[Import] = []

    def walk(node: ast.AST, at_once: bool) -> None:
        if isinstance(node, ast.Import):
            found.extend(Import(alias.name, at_once, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = module.split(".")
            up = node.level - (1 if package else 0)
            origin = ".".join(parts[: len(parts) - up]) if node.level else ""
            base = ".".join(part for part in (origin, node.module) if part)
            found.extend(Import(f"{base}.{alias.name}", at_once, node.lineno) for alias in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            for child in node.orelse:
                walk(child, at_once)
        else:
            inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            for child in ast.iter_child_nodes(node):
                walk(child, at_once and not inside)

    walk(ast.parse(source), True)
    return found


def below(name: str, *packages: str) -> bool:
    """Whether a dotted name is one of the packages or lies in one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def faults(source: str, module: str, package: bool = False) -> list[str]:
    """Every import that breaks a wall, as MODULE:LINE imports NAME."""
    room = module.partition(".")[0]
    found = []
    for name, at_once, line in imports(source, module, package):
        if room == "attnprobe":
            upstairs = below(name, "analyses", "reports")
            bad = upstairs and (at_once or not below(module, "attnprobe.cli"))
        elif room == "analyses":
            bad = below(name, "matplotlib", "reports")
        else:
            inner = ("circuit", "model", "training", "population")
            bad = below(name, "safetensors", *(f"attnprobe.{part}" for part in inner)) or (
                below(name, "torch") and at_once
            )
            if module == "reports.exercise":
                bad = bad and not below(name, "torch", "attnprobe.model")
        if bad:
            found.append(f"{module}:{line} imports {name}")
    return found


def modules() -> list[tuple[str, Path]]:
    found = []
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found.append((".".join(part for part in parts if part != "__init__"), path))
    return found


def test_the_walls_stand() -> None:
    seen = modules()
    assert {"attnprobe", "attnprobe.training.kernel", "attnprobe.store"} <= {name for name, _ in seen}
    broken = [
        fault
        for name, path in seen
        for fault in faults(path.read_text(encoding="utf-8"), name, path.name == "__init__.py")
    ]
    assert broken == []


@pytest.mark.parametrize(
    ("module", "source", "expected"),
    [
        ("attnprobe.store", "import analyses", ["attnprobe.store:1 imports analyses"]),
        ("attnprobe.store", "def f():\n  from reports.a import x", ["attnprobe.store:2 imports reports.a.x"]),
        ("attnprobe.cli", "import reports.pages", ["attnprobe.cli:1 imports reports.pages"]),
        ("attnprobe.cli", "if True:\n    import analyses", ["attnprobe.cli:2 imports analyses"]),
        ("attnprobe.cli", "def f():\n    import analyses, reports", []),
        ("attnprobe.cli.making", "def f():\n    import analyses, reports", []),
        ("attnprobe.cli.making", "import analyses", ["attnprobe.cli.making:1 imports analyses"]),
        ("attnprobe.client", "def f():\n    import analyses", ["attnprobe.client:2 imports analyses"]),
        ("attnprobe.cli", "try:\n  import analyses\nfinally: ...", ["attnprobe.cli:2 imports analyses"]),
        ("attnprobe.stats", "import analysesque\nfrom x import reports", []),
        ("analyses.seeds", "import matplotlib.pyplot as plt", ["analyses.seeds:1 imports matplotlib.pyplot"]),
        ("analyses.seeds", "def f():\n  from reports import x", ["analyses.seeds:2 imports reports.x"]),
        ("analyses.seeds", "from attnprobe.circuit import Circuit\nimport numpy", []),
        ("reports.focus", "from attnprobe import circuit", ["reports.focus:1 imports attnprobe.circuit"]),
        ("reports.focus", "from attnprobe.circuit import X", ["reports.focus:1 imports attnprobe.circuit.X"]),
        ("reports.focus", "import attnprobe.training.a", ["reports.focus:1 imports attnprobe.training.a"]),
        ("reports.focus", "def f():\n import safetensors", ["reports.focus:2 imports safetensors"]),
        ("reports.focus", "import torch.nn", ["reports.focus:1 imports torch.nn"]),
        ("reports.focus", "class A:\n  import torch", ["reports.focus:2 imports torch"]),
        ("reports.focus", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch", []),
        ("reports.focus", "def f():\n    import torch", []),
        ("reports.focus", "from attnprobe.store import Run\nimport analyses", []),
        ("reports.exercise", "import torch\nfrom attnprobe.model import AttentionModel", []),
        ("reports.exercise", "import safetensors", ["reports.exercise:1 imports safetensors"]),
    ],
)  # fmt: skip
def test_the_walker_sees_what_breaks_a_wall(module, source, expected) -> None:
    assert faults(source, module) == expected


def test_the_walker_resolves_relative_imports() -> None:
    assert [i.name for i in imports("from . import a\nfrom .b import c\nfrom ..d import e", "p.q.r")] == [
        "p.q.a",
        "p.q.b.c",
        "p.d.e",
    ]
    assert [i.name for i in imports("from . import a\nfrom .b import c", "p.q", package=True)] == [
        "p.q.a",
        "p.q.b.c",
    ]


# --- what is loaded when --------------------------------------------------------------------------


def fresh(code: str) -> str:
    """The standard output of some Python in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("module", ["attnprobe", "attnprobe.cli", "attnprobe.cli.commands"])
def test_importing_loads_nothing_heavy(module) -> None:
    loaded = fresh(f"import sys, {module}; print(*[name for name in {HEAVY} if name in sys.modules])")
    assert loaded == ""


def test_this_way_of_looking_sees_what_is_heavy() -> None:
    loaded = fresh(f"import sys, attnprobe.config; print(*[name for name in {HEAVY} if name in sys.modules])")
    assert "pydantic" in loaded.split()


@pytest.mark.parametrize(
    ("work", "spared"),
    [
        (
            "from reports.document import draw_files, Material; draw_files('focus', Material(run))",
            ("torch", "numba", "scipy"),
        ),
        ("run.circuit.scores, run.snapshots()", ("torch", "numba", "scipy", "matplotlib")),
        ("import analyses; analyses.compute('seeds', run)", ("torch", "matplotlib")),
    ],
)
def test_what_reads_a_run_loads_no_more_than_it_needs(work, spared, small_run) -> None:
    code = f"import sys, attnprobe; run = attnprobe.open_run({str(small_run.path)!r}); {work}"
    assert fresh(f"{code}; print(*[name for name in {spared} if name in sys.modules])") == ""


def test_every_public_name_is_there_once() -> None:
    assert len(set(ap.__all__)) == len(ap.__all__)
    assert sorted(ap.__all__) == list(ap.__all__)
    assert dir(ap) == sorted([*ap.__all__, "__version__"])
    for name in ap.__all__:
        assert getattr(ap, name) is not None


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError) as error:
        _ = ap.Atention
    assert str(error.value) == "module 'attnprobe' has no attribute 'Atention'"


@pytest.mark.parametrize(
    "first",
    [
        "import attnprobe.population",
        "from attnprobe.population import Population",
        "import attnprobe as ap; ap.Population",
        "import analyses",
        "pass",
    ],
)
def test_population_is_the_function_whatever_was_loaded_before(first) -> None:
    """The submodule has the name of the function, and importing it must not hide the function."""
    code = f"{first}\nimport attnprobe as ap\nprint(len(ap.Population.of(ap.Task(length=2))))"
    assert fresh(code) == "55"
