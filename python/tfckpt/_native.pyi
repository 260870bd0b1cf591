"""The compiled half: see the modules beside it."""

from pathlib import Path
from typing import Any

import numpy as np

__version__: str

class Reader:
    def __new__(
        cls, path: str, step: int | None = None, version: int | None = None, threads: int | None = None
    ) -> Reader: ...
    def prefix(self) -> Path: ...
    def format(self) -> str: ...
    def notes(self) -> list[str]: ...
    def damage(self) -> list[str]: ...
    def __len__(self) -> int: ...
    def headers(self) -> list[tuple[str | bytes, str, list[int] | None, int | None]]: ...
    def header(self, name: bytes) -> tuple[str | bytes, str, list[int] | None, int | None] | None: ...
    def shape_of(self, name: bytes, index: str) -> list[int]: ...
    def read_into(self, name: bytes, into: np.ndarray[Any, np.dtype[np.uint8]], index: str | None = None) -> bool: ...
    def read_strings(self, name: bytes, index: str | None = None) -> list[bytes]: ...

def inspect(path: str, step: int | None = None, version: int | None = None) -> tuple[str, str | None]: ...
def list(
    path: str, selectors: list[str], names: bool, step: int | None = None, version: int | None = None
) -> str: ...
def stats(
    path: str,
    selectors: list[str],
    hist: bool,
    per_channel: bool,
    spectral: bool,
    step: int | None = None,
    version: int | None = None,
    threads: int | None = None,
) -> str: ...
def diff(
    a: str,
    b: str,
    selectors: list[str],
    ignore: list[str],
    map: list[str],
    rtol: float | None,
    atol: float | None,
    depth: str,
    spectral: bool,
    threads: int | None = None,
) -> str: ...
def validate(
    path: str,
    against: str | None,
    selectors: list[str],
    quick: bool,
    finite: bool,
    serving: bool,
    step: int | None = None,
    version: int | None = None,
    threads: int | None = None,
) -> str: ...
def latest(dir: str) -> Path | None: ...
