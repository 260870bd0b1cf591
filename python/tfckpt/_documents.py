"""What the command says, as dictionaries: ``ckpt … --format json``, described in docs/json.md."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterable
from typing import Any

from . import _native

_Path = str | os.PathLike[str]


def _texts(given: str | Iterable[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def inspect(path: _Path, *, step: int | None = None, version: int | None = None) -> dict[str, Any]:
    """What a checkpoint is, whether the set is whole and what dominates it: ``ckpt inspect``.

    Of a served model whose highest version cannot be read, the next one is shown, with a warning.
    """
    text, refused = _native.inspect(os.fspath(path), step, version)
    if refused is not None:
        warnings.warn(refused, stacklevel=2)
    return json.loads(text)


def tensors(
    path: _Path,
    selectors: str | Iterable[str] = (),
    *,
    names: bool = False,
    step: int | None = None,
    version: int | None = None,
) -> dict[str, Any]:
    """One row a tensor, with its role; with ``names``, what the program calls it: ``ckpt list``."""
    return json.loads(_native.list(os.fspath(path), _texts(selectors), names, step, version))


def stats(
    path: _Path,
    selectors: str | Iterable[str] = (),
    *,
    hist: bool = False,
    per_channel: bool = False,
    spectral: bool = False,
    step: int | None = None,
    version: int | None = None,
    threads: int | None = None,
) -> dict[str, Any]:
    """Extremes, mean, deviation, zeros, NaN and infinity of every tensor: ``ckpt stats``."""
    return json.loads(
        _native.stats(os.fspath(path), _texts(selectors), hist, per_channel, spectral, step, version, threads)
    )


def diff(
    a: _Path,
    b: _Path,
    selectors: str | Iterable[str] = (),
    *,
    ignore: str | Iterable[str] = (),
    map: str | Iterable[str] = (),
    rtol: float | None = None,
    atol: float | None = None,
    depth: str = "values",
    spectral: bool = False,
    threads: int | None = None,
) -> dict[str, Any]:
    """What changed from one checkpoint to another, where, and by how much: ``ckpt diff``.

    ``depth`` is ``structure``, ``index``, ``values`` or ``exact``. With ``spectral``, the singular values of what changed in
    each matrix of floats, and its rank.
    """
    if depth not in ("structure", "index", "values", "exact"):
        raise ValueError(f"depth {depth!r}: structure, index, values or exact")
    names = (_texts(selectors), _texts(ignore), _texts(map))
    return json.loads(_native.diff(os.fspath(a), os.fspath(b), *names, rtol, atol, depth, spectral, threads))


def validate(
    path: _Path,
    selectors: str | Iterable[str] = (),
    *,
    against: _Path | None = None,
    quick: bool = False,
    finite: bool = False,
    serving: bool = False,
    step: int | None = None,
    version: int | None = None,
    threads: int | None = None,
) -> dict[str, Any]:
    """Whether the files are intact, and with ``against`` whether they fit a model: ``ckpt validate``."""
    model = None if against is None else os.fspath(against)
    options = (quick, finite, serving, step, version, threads)
    return json.loads(_native.validate(os.fspath(path), model, _texts(selectors), *options))
