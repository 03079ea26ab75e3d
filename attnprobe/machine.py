"""What a run was made with: versions, and the kind of processor (its bits are promised for that kind)."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

__all__ = ["cores", "cpu_kind", "describe", "versions"]

LIBRARIES = ("torch", "numpy", "numba", "llvmlite", "pandas", "pyarrow", "scipy", "matplotlib", "safetensors")


def cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def versions() -> dict[str, str]:
    """Versions of the libraries whose arithmetic a run rests on."""
    return {name: metadata.version(name) for name in LIBRARIES}


def cpu_kind() -> str:
    """The kind of processor, as the compiler names it: bits are promised for one kind."""
    import llvmlite.binding

    return str(llvmlite.binding.get_host_cpu_name())


def describe() -> dict[str, object]:
    """Versions and machine, for ``run.json``."""
    return {
        "python": platform.python_version(),
        "libraries": versions(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu_name(),
        "cpu_kind": cpu_kind(),
        "cores": cores(),
    }


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
