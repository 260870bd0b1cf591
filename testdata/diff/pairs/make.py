"""Pairs of checkpoints, and what NumPy says of them over TensorFlow's own reading: figures.json."""
import json, math, pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import ml_dtypes
import numpy as np
import tensorflow as tf

oracle.enter(__file__)
rng = np.random.default_rng(4)
NAN, INF = float("nan"), float("inf")
KEY = "/.ATTRIBUTES/VARIABLE_VALUE"


def word(x):
    """A JSON number, or the word for it."""
    if x is None:
        return None
    x = float(x)
    return "NaN" if math.isnan(x) else ("Infinity" if x > 0 else "-Infinity") if math.isinf(x) else x


def bits(array):
    array = np.ascontiguousarray(array)
    return array.reshape(-1).view(np.uint8).reshape(array.size, array.dtype.itemsize) if array.size else np.zeros((0, 1), np.uint8)


def ulps(a, b, name):
    """Steps between floats of one type, by their bits as sign and magnitude."""
    size = a.dtype.itemsize
    sign = 8 if name == "float4_e2m1fn" else 1 << (8 * size - 1)
    view = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}[size]

    def place(x):
        return [(-1 if int(v) & sign else 1) * (int(v) & (sign - 1)) for v in np.ascontiguousarray(x).reshape(-1).view(view)]
    return [abs(p - q) for p, q in zip(place(a), place(b))]


def compare(name, a, b):
    """What is said of two arrays of one dtype and shape."""
    out = {"elements": int(a.size)}
    if name in ("string", "bool"):
        changed = np.array([x != y for x, y in zip(a.ravel().tolist(), b.ravel().tolist())], bool)
        out |= {"changed_elements": int(changed.sum()), "bits_only": 0, "nan_elements": 0, "max_abs": None, "max_rel": None,
                "mean_abs": None, "rel_l2": None, "cosine": None, "max_ulps": None}
        out["at"] = [int(i) for i in np.unravel_index(int(np.argmax(changed)), a.shape)] if changed.any() else None
        return out
    integer = "int" in name
    is_complex = name.startswith("complex")
    x, y = a.ravel(), b.ravel()
    differ = (bits(a) != bits(b)).any(axis=1) if a.size else np.zeros(0, bool)
    if integer:
        x, y = np.array([int(v) for v in x], object), np.array([int(v) for v in y], object)
        equal = x == y
        nan = np.zeros(x.shape, bool)
        d = np.array([abs(p - q) for p, q in zip(x, y)], object)
    else:
        wide = np.complex128 if is_complex else np.float64
        x, y = x.astype(wide), y.astype(wide)
        both = np.isnan(x) & np.isnan(y)
        equal = (x == y) | both
        if is_complex:
            # Equal where each part is, or is NaN on both sides.
            parts = lambda p, q: (p == q) | (np.isnan(p) & np.isnan(q))
            equal = parts(x.real, y.real) & parts(x.imag, y.imag)
        nan = np.isnan(x) | np.isnan(y)
        with np.errstate(all="ignore"):
            d = np.where(x == y, 0, np.abs(x - y)).astype(np.float64)
    changed = ~equal.astype(bool)
    sized = ~nan
    xs, ys, ds = x[sized], y[sized], d[sized]
    rel = 0.0
    for p, q in zip(ds, ys):
        if p != 0:
            q = abs(q)
            share = INF if q == 0 or math.isinf(q) or math.isinf(p) else float(p) / float(q)
            rel = max(rel, share)
    square = lambda v: [abs(complex(c)) ** 2 for c in v]
    with np.errstate(all="ignore"):
        sq, aa, bb = (sum_of([float(v) ** 2 for v in ds])), sum_of(square(xs)), sum_of(square(ys))
        dot = sum_of([complex(p).real * complex(q).real + complex(p).imag * complex(q).imag for p, q in zip(xs, ys)])
        top, bottom = math.sqrt(sq), math.sqrt(bb)
        # Squares below 1e-324 are zero: no ratio then, rather than a wrong one.
        vanished = any(v > 0 for v in ds) and (sq == 0 or (bb == 0 and math.isfinite(rel)))
        rel_l2 = None if vanished else 0.0 if top == 0 else INF if bottom == 0 else top / bottom
        cosine = dot / (math.sqrt(aa) * math.sqrt(bb)) if aa and bb else NAN
    counted = int(x.size) - int((changed & nan).sum())
    out |= {"changed_elements": int(changed.sum()), "bits_only": int((differ & ~changed).sum()), "nan_elements": int((changed & nan).sum()),
            "max_abs": int(max(ds)) if integer and len(ds) else word(max(ds, default=0.0)), "max_rel": word(rel),
            "mean_abs": word(sum_of([float(v) for v in ds]) / counted if counted else 0.0), "rel_l2": word(rel_l2),
            "cosine": word(cosine) if math.isfinite(cosine) else None}
    steps = [0]
    if is_complex:
        part = {"complex64": np.float32, "complex128": np.float64}[name]
        real = [ulps(np.ascontiguousarray(v), np.ascontiguousarray(w), "") for v, w in ((a.real, b.real), (a.imag, b.imag))]
        steps = [max(p, q) for p, q, c, n in zip(*real, changed, nan) if c and not n] or [0]
    elif not integer:
        steps = [s for s, c, n in zip(ulps(a, b, name), changed, nan) if c and not n] or [0]
    out["max_ulps"] = None if integer else max(steps)
    sizes = np.array([-1.0 if n or not c else float(v) for v, n, c in zip(d, nan, changed)])
    if integer:
        order = [int(v) for v in d]
        at = order.index(max(order)) if changed.any() else None
    elif (sizes >= 0).any():
        at = int(np.argmax(sizes))
    else:
        at = int(np.argmax(changed)) if changed.any() else None
    out["at"] = None if at is None else [int(i) for i in np.unravel_index(at, a.shape)]
    return out


def sum_of(values):
    return math.fsum(values) if all(math.isfinite(v) for v in values) else sum(values)


def read(prefix):
    reader = tf.train.load_checkpoint(prefix)
    dtypes = reader.get_variable_to_dtype_map()
    found = {}
    for name, dtype in dtypes.items():
        if name != "_CHECKPOINTABLE_OBJECT_GRAPH":
            value = oracle.restore(prefix, name, dtype)
            if dtype.name.startswith("q"):
                # NumPy has no quantized types; their integers are what is compared.
                value = tf.bitcast(value, dtype.name.removeprefix("q"))
            found[name] = (dtype.name, np.asarray(value.numpy(), object if dtype == tf.string else None))
    return found


def pair(a, b, names=None):
    """One element of figures.json: tensors of both under B's names. `names` maps names of A to names of B."""
    x, y = read(a), read(b)
    names = names or {}
    x = {names.get(n, n): v for n, v in x.items()}
    back = {v: k for k, v in names.items()}
    rows = []
    for name in sorted(x.keys() | y.keys()):
        row = {"name": name}
        if name in back and back[name] != name:
            row["a_name"] = back[name]
        if name not in y or name not in x:
            row["status"] = "removed" if name not in y else "added"
        elif x[name][0] != y[name][0]:
            row["status"] = "dtype"
        elif x[name][1].shape != y[name][1].shape:
            row["status"] = "shape"
        else:
            row |= compare(x[name][0].removeprefix("q"), x[name][1], y[name][1])
            row["status"] = "changed" if row["changed_elements"] or row["bits_only"] else "identical"
        rows.append(row)
    return {"a": a, "b": b, "tensors": rows}


def moved(dtype):
    """Two arrays of a float type: many small changes, one large, zeros and signs."""
    a = rng.normal(size=(9, 37)).astype(dtype)
    b = (a.astype(np.float64) + rng.normal(size=a.shape) * 0.1).astype(dtype)
    b[::2] = a[::2]
    a[1, 1], b[1, 1] = 0.0, 1.0
    a[1, 2], b[1, 2] = 1.0, 0.0
    a[3, 3], b[3, 3] = 2.0, -2.0
    return a, b


FLOATS = ["float64", "float32", "float16", "bfloat16", "float8_e5m2", "float8_e4m3fn", "float8_e4m3fnuz",
          "float8_e4m3b11fnuz", "float8_e5m2fnuz", "float4_e2m1fn"]
INTS = [sign + str(n) for sign in ("int", "uint") for n in (64, 32, 16, 8, 4, 2)]
one, two = {}, {}
for name in FLOATS:
    dtype = tf.as_dtype(name).as_numpy_dtype
    one[name], two[name] = (tf.constant(v, name) for v in moved(dtype))
for name in INTS:
    width = int(name.strip("uint"))
    low, high = (0, 2 ** width - 1) if name.startswith("u") else (-(2 ** (width - 1)), 2 ** (width - 1) - 1)
    dtype = tf.as_dtype(name).as_numpy_dtype
    values = [[low, high, 0, 1], [high, low, 1, 0], [1, 1, 1, 0]]
    other = [[high, low, 0, 0], [high, low, 0, 1], [1, 1, 1, 0]]
    one[name], two[name] = (tf.constant(np.array(v, object).astype(dtype), name) for v in (values, other))
for name in ("qint8", "quint8", "qint16", "quint16", "qint32"):
    one[name], two[name] = (tf.bitcast(d[name[1:]], name) for d in (one, two))
one["bool"] = tf.constant([[True, False, True], [False, False, True]])
two["bool"] = tf.constant([[True, True, True], [False, True, True]])
one["string"] = tf.constant([[b"", b"a", b"line\n"], ["é".encode(), b"\xff\x00", b"x" * 300]])
two["string"] = tf.constant([[b"", b"b", b"line"], ["é".encode(), b"\xff\x00\x00", b"x" * 300]])
one["strings/many"] = tf.constant([b"word %d" % n for n in range(9000)])
two["strings/many"] = tf.constant([b"word %d" % (n if n % 1000 != 7 else -n) for n in range(9000)])
for size in (64, 128):
    a = (rng.normal(size=(5, 4)) + 1j * rng.normal(size=(5, 4))).astype(f"complex{size}")
    b = a.copy()
    b[2, 1] += 1 - 2j
    b[4, 3] = 0
    one[f"complex{size}"], two[f"complex{size}"] = tf.constant(a), tf.constant(b)
oracle.save("types-a", one)
oracle.save("types-b", two)

# What is not an ordinary number, in every type that has it; and nothing at all.
one, two = {}, {}
for name in FLOATS[:-1]:
    dtype = tf.as_dtype(name).as_numpy_dtype
    infinite = name in ("float64", "float32", "float16", "bfloat16", "float8_e5m2")
    inf = INF if infinite else 1.0
    a = np.array([[NAN, NAN, 1.0, inf, inf], [-0.0, 0.0, 3.0, -inf, 0.5]], np.float64).astype(dtype)
    b = np.array([[NAN, 2.0, NAN, inf, -inf], [0.0, 0.0, 3.0, 1.0, 0.75]], np.float64).astype(dtype)
    one[f"{name}/special"], two[f"{name}/special"] = tf.constant(a, name), tf.constant(b, name)
    one[f"{name}/nan_only"] = tf.constant(np.array([NAN, 1.0], np.float64).astype(dtype), name)
    two[f"{name}/nan_only"] = tf.constant(np.array([2.0, 1.0], np.float64).astype(dtype), name)
for name, view in (("float32", np.uint32), ("float64", np.uint64), ("float16", np.uint16)):
    payload = np.array([NAN, NAN, 1.0], name)
    other = payload.view(view).copy()
    other[1] |= 5
    one[f"{name}/payload"], two[f"{name}/payload"] = tf.constant(payload), tf.constant(other.view(name))
    zeros = np.zeros(5000, name)
    negative = zeros.copy()
    negative[[3, 4999]] = -0.0
    one[f"{name}/zeros"], two[f"{name}/zeros"] = tf.constant(zeros), tf.constant(negative)
one["complex64/special"] = tf.constant(np.array([complex(NAN, 1), complex(1, INF), complex(-0.0, 0), complex(NAN, NAN)], np.complex64))
two["complex64/special"] = tf.constant(np.array([complex(NAN, 2), complex(1, INF), complex(0, 0), complex(NAN, NAN)], np.complex64))
one["empty"] = two["empty"] = tf.zeros([3, 0], tf.float32)
one["empty/strings"] = two["empty/strings"] = tf.constant([], tf.string)
one["tiny"], two["tiny"] = tf.constant(np.float64([1e-300, 5e-324])), tf.constant(np.float64([2e-300, 0]))
one["step"], two["step"] = tf.constant(100, tf.int64), tf.constant(200, tf.int64)
one["from_zero"], two["from_zero"] = tf.zeros([4, 4]), tf.ones([4, 4])
one["to_zero"], two["to_zero"] = tf.ones([4, 4]), tf.zeros([4, 4])
one["shape"], two["shape"] = tf.zeros([2, 3]), tf.zeros([3, 2])
one["dtype"], two["dtype"] = tf.zeros([2, 3]), tf.zeros([2, 3], tf.float64)
one["gone"], two["new"] = tf.ones([3]), tf.zeros([3])
oracle.save("special-a", one)
oracle.save("special-b", two)

# A partitioned variable against the same whole, equal and not.
whole = rng.normal(size=(10, 6)).astype(np.float32)
other = whole.copy()
other[7, 2] += 0.5
specs = ["10 6 0,4:-", "10 6 4,3:-", "10 6 7,3:-"]


def sliced(prefix, values):
    names = [name for name in values for _ in specs]
    parts = [part for value in values.values() for part in (value[0:4], value[4:7], value[7:10])]
    tf.raw_ops.SaveV2(prefix=prefix, tensor_names=names, shape_and_slices=specs * len(values),
                      tensors=[tf.constant(part) for part in parts])


sliced("slices-a", {"same": whole, "moved": whole})
oracle.save("slices-b", {"same": tf.constant(whole), "moved": tf.constant(other)})

# The same variables under other keys: a shorter path leads to `kernel` in B, and its key follows it.
tf.keras.backend.clear_session()


def module(**attributes):
    made = tf.Module()
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


def variable(value, name):
    return tf.Variable(value, name=name)


kernel, bias = rng.normal(size=(4, 3)).astype(np.float32), rng.normal(size=3).astype(np.float32)
layer = module(kernel=variable(kernel, "dense/kernel"), bias=variable(bias, "dense/bias"))
tf.train.Checkpoint(model=module(layer=layer)).write("objects-a")
layer = module(kernel=variable(kernel + 1, "dense/kernel"), bias=variable(bias, "dense/bias"))
tf.train.Checkpoint(a=layer.kernel, model=module(layer=layer)).write("objects-b")

# The same variables by name.
oracle.save("names-a", {"dense/kernel": tf.constant(kernel), "dense/bias": tf.constant(bias), "only": tf.ones([2])})

full = {"dense/kernel": "a" + KEY, "dense/bias": "model/layer/bias" + KEY}
document = {
    "tensorflow": tf.__version__,
    "numpy": np.__version__,
    "pairs": [
        pair("types-a", "types-b"),
        pair("types-b", "types-a"),
        pair("special-a", "special-b"),
        pair("special-b", "special-a"),
        pair("slices-a", "slices-b"),
        pair("objects-a", "objects-b", {"model/layer/kernel" + KEY: "a" + KEY}),
        pair("names-a", "objects-b", full),
        pair("objects-b", "names-a", {v: k for k, v in full.items()}),
    ],
}
with open("figures.json", "w", encoding="ascii") as out:
    rows = [json.dumps({k: v for k, v in p.items() if k != "tensors"})[:-1] + ', "tensors": [\n' +
            ",\n".join("  " + json.dumps(t) for t in p["tensors"]) + "\n]}" for p in document.pop("pairs")]
    out.write(json.dumps(document)[:-1] + ', "pairs": [\n' + ",\n".join(rows) + "\n]}\n")
