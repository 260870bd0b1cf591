"""Matrices, and what NumPy's singular value decomposition in float64 says of them."""
import json, pathlib, zipfile

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
rng = np.random.default_rng(20)


def learned(rows, columns, rank, size):
    """Noise, and directions of falling size above it."""
    sizes = size * np.linspace(1.0, 0.2, rank)
    left, right = (np.linalg.qr(rng.standard_normal((n, rank)))[0] for n in (rows, columns))
    return rng.standard_normal((rows, columns)) + (left * sizes) @ right.T


def orthogonal(n):
    return np.linalg.qr(rng.standard_normal((n, n)))[0]


limit = np.sqrt(6 / (96 + 64))
matrices = {
    "init/glorot_uniform": rng.uniform(-limit, limit, (96, 64)).astype(np.float32),
    "init/truncated": np.clip(rng.standard_normal((48, 160)) * 0.05, -0.1, 0.1).astype(np.float32),
    "init/orthogonal": orthogonal(64).astype(np.float32),
    "init/half": rng.standard_normal((64, 64)).astype(np.float16),
    "init/wide": rng.standard_normal((130, 120)) * 1e-180,
    "conv/kernel": rng.standard_normal((3, 3, 8, 32)).astype(np.float32) * 0.1,
    "learned/tall": (learned(150, 60, 12, 90) * 0.02).astype(np.float32),
    "learned/flat": (learned(40, 170, 6, 70) * 0.02).astype(np.float16),
    "learned/square": learned(128, 128, 40, 100) * 1e200,
    "learned/counts": np.round(learned(50, 50, 4, 60) * 10).astype(np.int32),
    "learned/bytes": np.clip(np.round(learned(64, 32, 5, 50) * 8), -128, 127).astype(np.int8),
    "rank_one": np.outer(np.arange(1, 31), np.arange(1, 21)).astype(np.int64),
    "steep": np.diag(10.0 ** -np.arange(20)),
    "spike": np.pad(np.array([[5.0]], np.float32), ((3, 30), (7, 20))),
    "mean": (rng.standard_normal((70, 50)) + 3).astype(np.float32),
    "odd/column": rng.standard_normal((100, 1)).astype(np.float32),
    "odd/row": rng.standard_normal((1, 100)).astype(np.float32),
    "odd/one": np.array([[-2.5]], np.float32),
    "odd/zeros": np.zeros((6, 5), np.float32),
    "odd/constant": np.full((9, 7), 0.25, np.float32),
    "odd/empty": np.zeros((0, 5), np.float32),
    "odd/nan": np.array([[1, np.nan], [2, 3]], np.float32),
    "odd/complex": np.ones((4, 4), np.complex64),
    "odd/vector": np.arange(5, dtype=np.float32),
    "odd/bool": np.arange(100).reshape(10, 10) % 7 == 0,
}


def edge(matrix):
    rows, columns = max(matrix.shape), min(matrix.shape)
    a, b = np.sqrt(rows - 1), np.sqrt(columns)
    return matrix.std() * np.sqrt((a + b) ** 2 + 4 * (a + b) * np.cbrt(1 / a + 1 / b))


def figures(value):
    matrix = value.reshape(-1, value.shape[-1])
    if matrix.size == 0 or matrix.dtype.kind == "c" or not np.isfinite(matrix.astype(np.float64)).all():
        return {"shape": list(matrix.shape)}
    # Squares of 1e200 are infinite.
    scale = float(np.abs(matrix.astype(np.float64)).max()) or 1.0
    matrix = matrix.astype(np.float64) / scale
    singular = np.linalg.svd(matrix, compute_uv=False)
    out = {"shape": list(matrix.shape), "sigma_max": repr(float(singular[0] * scale))}
    if singular[0] > 0:
        out["stable_rank"] = repr(float((singular**2).sum() / singular[0] ** 2))
        if min(matrix.shape) >= 4 and matrix.std() > 0:
            out["edge"] = repr(float(edge(matrix) * scale))
            out["above_edge"] = int((singular > edge(matrix)).sum())
    return out


# As np.savez, without its clocks.
with zipfile.ZipFile(HERE / "matrices.npz", "w") as archive:
    for name, value in sorted(matrices.items()):
        with archive.open(zipfile.ZipInfo(name + ".npy", (1980, 1, 1, 0, 0, 0)), "w") as member:
            np.lib.format.write_array(member, np.ascontiguousarray(value))
expected = {name: figures(value) for name, value in sorted(matrices.items()) if value.ndim > 1}
text = json.dumps({"numpy": np.__version__, "matrices": expected}, indent=1)
(HERE / "expected.json").write_text(text + "\n")
