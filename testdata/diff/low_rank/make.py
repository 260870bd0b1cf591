"""Matrices before and after a change, and what NumPy's singular value decomposition in float64 says of the change."""
import json, pathlib, zipfile

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
rng = np.random.default_rng(7)


def brain(x):
    """Rounded to bfloat16, to nearest even, as float32."""
    bits = np.asarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)


def weights(*shape, size=0.05):
    return (rng.standard_normal(shape) * size).astype(np.float32)


def product(rows, columns, rank, size):
    return size * rng.standard_normal((rows, rank)) @ rng.standard_normal((rank, columns))


def half(x):
    return np.asarray(x, np.float16)


pairs = {}


def pair(name, a, change, round=np.float32):
    b = round(a.astype(np.float64) + change.reshape(a.shape)) if round is not None else a + change
    pairs[name] = (a, np.asarray(b, a.dtype))


pair("lora/query", weights(72, 48), product(72, 48, 4, 0.01))
pair("lora/value", weights(48, 80), product(48, 80, 8, 0.002))
pair("lora/tiny", weights(64, 64), product(64, 64, 2, 1e-5))
pair("lora/huge", weights(64, 64), product(64, 64, 3, 50.0))
pair("lora/bfloat16", brain(weights(64, 64)), product(64, 64, 3, 0.05), brain)
pair("lora/float16", half(weights(96, 64)), product(96, 64, 2, 0.02), half)
pair("lora/float64", weights(64, 64).astype(np.float64), product(64, 64, 5, 0.01), np.float64)
pair("lora/conv", weights(3, 3, 8, 40), product(72, 40, 6, 0.01))
# A base of float32 of which only what was rounded was kept.
base = rng.standard_normal((64, 64)) * 0.05
pairs["lora/rounded_twice"] = (brain(base), brain(base + product(64, 64, 3, 0.05)))
# Rounding is not as large everywhere: the first row is a thousand times the others.
uneven = weights(64, 64)
uneven[0] *= 1000
pair("lora/uneven", uneven, product(64, 64, 4, 0.01))
pair("full/noise", weights(64, 48), weights(64, 48, size=0.001))
pair("full/learned", weights(64, 48), product(64, 48, 6, 0.01) + weights(64, 48, size=1e-4))
pair("full/float16", half(weights(64, 48)), weights(64, 48, size=0.01), half)
scaled = weights(48, 48)
pair("full/scaled", scaled, scaled * 0.01)
# Not a number more than rounding may have made: each element, or not, by one float.
near = weights(64, 48)
pairs["odd/rounding"] = (near, np.where(rng.random((64, 48)) < 0.1, np.nextafter(near, np.float32(9)), near))
few = np.zeros((64, 48))
few[[3, 17, 40]] = rng.standard_normal((3, 48)) * 0.01
pair("odd/three_rows", weights(64, 48), few)
pair("odd/narrow", weights(64, 12), product(64, 12, 2, 0.01))
pair("odd/bias", weights(64), rng.standard_normal(64) * 0.01)
pair("odd/counts", np.arange(400).reshape(20, 20), np.outer(np.arange(20), np.arange(20)), np.int64)
nan = weights(20, 20)
nan[4, 5] = np.nan
pair("odd/nan", nan, product(20, 20, 1, 0.01))


def bits(x):
    fraction = np.bitwise_or.reduce(np.asarray(x, np.float64).reshape(-1).view(np.uint64) & np.uint64((1 << 52) - 1))
    return 0 if fraction == 0 else 52 - (int(fraction) & -int(fraction)).bit_length() + 1


def power(x):
    """The square of the power of two next below each element."""
    _, exponent = np.frexp(x)
    least = -14 if x.dtype == np.float16 else -126
    return np.where(x == 0, 0.0, np.ldexp(1.0, 2 * np.maximum(exponent - 1, least)))


def rounding_edge(a, b):
    """docs/training.md"""
    used = next((n for n in (7, 10) if n >= max(bits(a), bits(b))), 23)
    difference = b.astype(np.float64) - a.astype(np.float64)
    variances = (power(a) + power(b) + power(difference)) * 4.0**-used / 12
    long, short = max(a.shape), min(a.shape)
    p, q = np.sqrt(long - 1), np.sqrt(short)
    margin = np.sqrt((p + q) ** 2 + 4 * (p + q) * np.cbrt(1 / p + 1 / q)) / (np.sqrt(long) + np.sqrt(short))
    return margin * (np.sqrt(variances.sum(0).max()) + np.sqrt(variances.sum(1).max()))


def figures(a, b):
    a, b = (x.reshape(-1, x.shape[-1]) for x in (a, b))
    difference = b.astype(np.float64) - a.astype(np.float64)
    if not np.isfinite(difference).all():
        return {}
    singular = np.linalg.svd(difference, compute_uv=False)
    changed = min((difference != 0).any(0).sum(), (difference != 0).any(1).sum())
    out = {"sigma_max": float(singular[0]), "stable_rank": float((singular**2).sum() / singular[0] ** 2)}
    if changed >= 16:
        edge = rounding_edge(a, b)
        out |= {"rounding_edge": float(edge), "limit": int(min(changed // 4, 128)), "above": int((singular > edge).sum())}
        if out["above"]:
            out["least"] = float(singular[out["above"] - 1])
    return out


def write(file, which):
    # As np.savez, without its clocks.
    with zipfile.ZipFile(HERE / file, "w") as archive:
        for name, pair in sorted(pairs.items()):
            with archive.open(zipfile.ZipInfo(name + ".npy", (1980, 1, 1, 0, 0, 0)), "w") as member:
                np.lib.format.write_array(member, np.ascontiguousarray(pair[which]))


write("a.npz", 0)
write("b.npz", 1)
matrices = {name: figures(*pair) for name, pair in sorted(pairs.items()) if pair[0].ndim > 1 and pair[0].dtype.kind == "f"}
text = json.dumps({"numpy": np.__version__, "matrices": matrices}, indent=1)
(HERE / "expected.json").write_text(text + "\n")
