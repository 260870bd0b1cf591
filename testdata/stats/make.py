"""Statistics of every numeric tensor of every fixture, computed by NumPy over what TensorFlow reads."""
import base64, json, os, pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import oracle

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
SHARES = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]


def number(value):
    """Integers as they are; floats as text, which every reader takes to the last bit."""
    return int(value) if isinstance(value, (int, np.integer)) else repr(float(value))


def widened(value):
    """Integers as Python's own width, floats as float64, complex numbers by their magnitude."""
    value = np.asarray(value)
    if value.dtype.kind == "c":
        part = value.real.dtype
        size = np.hypot(value.real.astype(np.float64), value.imag.astype(np.float64)).astype(part)
        return np.where(np.isnan(value), np.nan, size.astype(np.float64))
    if value.dtype.kind == "b":
        return value.astype(np.int64)
    if value.dtype.kind in "iu":
        return value
    if "int" in value.dtype.name:  # ml_dtypes' int2, int4 and the unsigned ones
        return value.astype(np.int64)
    return value.astype(np.float64)


def figures(value):
    value = widened(value)
    flat = value.ravel()
    floats = flat.dtype.kind == "f"
    kinds = {"nan": np.isnan, "positive_infinity": np.isposinf, "negative_infinity": np.isneginf}
    out = {"elements": flat.size, "zeros": int(np.count_nonzero(flat == 0))}
    for name, test in kinds.items():
        hits = np.flatnonzero(test(flat)) if floats else []
        out[name] = len(hits)
        if len(hits):
            out["first_" + name] = [int(n) for n in np.unravel_index(hits[0], value.shape)]
    seen = flat[~np.isnan(flat)] if floats else flat
    out["min"], out["max"] = (number(seen.min()), number(seen.max())) if seen.size else (None, None)
    finite = flat[np.isfinite(flat)] if floats else flat
    if finite.size:
        wide = finite.astype(np.longdouble)
        out["mean"], out["std"] = number(wide.mean()), number(wide.std())
        out["l2"] = number(np.sqrt(np.sum(wide * wide)))
        ascending = np.sort(finite)
        ranks = [max(-(-int(round(share * 1000)) * finite.size // 1000), 1) for share in SHARES]
        out["quantiles"] = [number(ascending[rank - 1]) for rank in ranks]
    if value.ndim >= 2 and value.size:
        dead = lambda axis: int(np.sum(np.all(np.moveaxis(value, axis, 0).reshape(value.shape[axis], -1) == 0, axis=1)))
        out["dead"] = [dead(0), dead(-1)]
    return out


def one(record, prefix):
    if record["dtype"] in ("string", "variant", "resource"):
        return None
    name = record["name"]
    if not isinstance(name, str):
        name = base64.b64decode(name["base64"])
    try:
        value = oracle.restore(str(prefix), name, oracle.tf.as_dtype(record["dtype"])).numpy()
    except Exception:  # what TensorFlow cannot read whole has no statistics
        return None
    return {"name": record["name"], "dtype": record["dtype"], **figures(value)}



checkpoints = []
os.chdir(HERE.parent)
for expected in sorted(pathlib.Path(".").rglob("expected.json")):
    document = json.loads(expected.read_text())
    for part in [document, *document.get("checkpoints", [])]:
        if not part.get("tensors"):
            continue
        prefix = expected.parent / part["prefix"]
        # A prefix that is a directory's own name ends in a slash, which a path would lose.
        shown = str(prefix) + ("/" if part["prefix"].endswith("/") else "")
        # Of hundreds alike every tenth says as much.
        step = 10 if len(part["tensors"]) > 100 else 1
        tensors = [one(record, shown) for record in part["tensors"][::step]]
        checkpoints.append({"prefix": shown, "tensors": [t for t in tensors if t]})
oracle.write({"statistics": checkpoints}, HERE / "expected.json")
