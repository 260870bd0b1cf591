"""Pairs of a checkpoint and a model, restored for real: what TensorFlow did is the oracle of `validate --against`.

    make.py                              the committed part, in this directory
    make.py --out DIR --seed 7 --names 12 --objects 12     more groups of random pairs somewhere else

A group is a directory with checkpoints, models and pairs.json. A model of a name-based group is a .meta file, one of
an object-based group a checkpoint (restored into fresh objects of the program that wrote it) or a SavedModel
(restored into what tf.saved_model.load makes of it). Every checkpoint is restored into every model of its group.
"""
import argparse, gc, json, os, pathlib, random, re, shutil, sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
HERE = pathlib.Path(__file__).resolve().parent
CONFIG = v1.ConfigProto(device_count={"CPU": 2}, intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)


def clean(error):
    """The message without what differs from run to run."""
    text = getattr(error, "message", None) or str(error)
    text = re.sub(r"\{\{[^}]*\}\} ?", "", text.split(" [Op:")[0])
    text = re.sub(r"\n?Graph execution error:.*?\n\n", "", text, flags=re.S)
    text = re.sub(r"(?m)^(Detected at node .*|Node: .*| +File .*|\d root error.*|\t.*)\n?", "", text)
    text = text.split("\nOriginal stack trace")[0].split("\n\t [[")[0].replace(os.getcwd() + "/", "")
    return text[:2000]


# Name-based: v1 graphs and savers -----------------------------------------------------------------------------------

def graph(spec):
    """A graph with the variables of `spec`, and its saver."""
    built = tf.Graph()
    with built.as_default():
        for name, var in sorted(spec["vars"].items()):
            dtype = tf.as_dtype(var["dtype"])
            with tf.device(f"/cpu:{var['cpu']}"):
                value = tf.zeros(var["shape"], tf.float32) if dtype.is_floating else tf.zeros(var["shape"], tf.int32)
                value = tf.cast(value, dtype)
                kind = {"use_resource": var["resource"]}
                if var["parts"]:
                    axis, n = var["parts"]
                    v1.get_variable(name, var["shape"], dtype, v1.zeros_initializer(),
                                    partitioner=v1.fixed_size_partitioner(n, axis), **kind)
                elif var["open"]:
                    v1.Variable(value, name=name, validate_shape=False, shape=tf.TensorShape(None) if var["resource"] else None, **kind)
                else:
                    v1.get_variable(name, initializer=value, **kind)
        if not spec["vars"]:
            return built, None
        saver = v1.train.Saver(sharded=spec["sharded"], reshape=spec["reshape"])
    return built, saver


def write_names(spec, prefix):
    built, saver = graph(spec)
    with v1.Session(graph=built, config=CONFIG) as session, built.as_default():
        session.run(v1.global_variables_initializer())
        saver.save(session, prefix, write_meta_graph=False, write_state=False)
        saver.export_meta_graph(prefix + ".meta", strip_default_attrs=spec["strip"])


def variable_shapes(session, built):
    """Of every variable: its name, the shape in the graph, and the shape that it has now."""
    with built.as_default():
        for node in list(built.get_operations()):
            if node.type in ("VariableV2", "VarHandleOp"):
                shape = node.get_attr("shape")
                static = None if shape.unknown_rank else [d.size for d in shape.dim] if hasattr(shape, "dim") else None
                tensor = node.outputs[0]
                if node.type == "VarHandleOp":
                    tensor = tf.raw_ops.ReadVariableOp(resource=tensor, dtype=node.get_attr("dtype"))
                yield node.name, static, list(session.run(tensor).shape)


def restore_names(prefix, meta):
    built = tf.Graph()
    record = {"outcome": "restores"}
    with built.as_default(), v1.Session(graph=built, config=CONFIG) as session:
        saver = v1.train.import_meta_graph(meta)
        try:
            saver.restore(session, prefix)
        except Exception as error:
            return {"outcome": "raises", "error": type(error).__name__, "message": clean(error)}
        record["wrong_shape"] = sorted(
            name for name, static, now in variable_shapes(session, built)
            if static is not None and not (len(static) == len(now) and all(s in (-1, n) for s, n in zip(static, now))))
    return record


DTYPES = ["float32", "float32", "float32", "int32", "int64", "float16", "bool", "float64"]


def random_var(rng):
    rank = rng.choice([0, 1, 1, 2, 2, 3])
    shape = [rng.randint(1, 4) for _ in range(rank)]
    dtype = rng.choice(DTYPES)
    parts = None
    if rank and rng.random() < 0.35 and dtype not in ("bool",):
        axis = rng.randrange(rank)
        shape[axis] = rng.randint(2, 6)
        parts = [axis, rng.randint(2, shape[axis])]
    return {"shape": shape, "dtype": dtype, "resource": rng.random() < 0.5, "parts": parts,
            "cpu": rng.randrange(2), "open": False}


def mutate_name(rng, spec, kind=None):
    """One change to a program."""
    spec = json.loads(json.dumps(spec))
    kind = kind or rng.choice(["shape", "shape", "dtype", "rename", "missing", "extra", "transposed", "partition", "partition", "scope",
                               "sharded", "kind", "rank", "open", "reshape", "reshape", "nothing"])
    names = sorted(spec["vars"])
    name = rng.choice(names)
    var = spec["vars"][name]
    if kind == "shape" and var["shape"]:
        var["shape"][rng.randrange(len(var["shape"]))] += rng.randint(1, 2)
    elif kind == "dtype":
        var["dtype"] = rng.choice([d for d in DTYPES if d != var["dtype"]])
        if var["dtype"] == "bool":
            var["parts"] = None
    elif kind == "rename":
        spec["vars"][name + "_new"] = spec["vars"].pop(name)
    elif kind == "scope":
        spec["vars"] = {re.sub("^model/", "net/", n): v for n, v in spec["vars"].items()}
    elif kind == "missing" and len(names) > 1:
        del spec["vars"][name]
    elif kind == "extra":
        spec["vars"]["extra_" + str(rng.randrange(9))] = random_var(rng)
    elif kind == "transposed":
        var["shape"].reverse()
        if var["parts"]:
            var["parts"][0] = len(var["shape"]) - 1 - var["parts"][0]
    elif kind == "partition" and var["shape"] and not var["open"]:
        if var["parts"] and rng.random() < 0.4:
            var["parts"] = None
        else:
            axis = rng.randrange(len(var["shape"]))
            if var["shape"][axis] > 1 and var["dtype"] != "bool":
                var["parts"] = [axis, rng.randint(2, var["shape"][axis])]
    elif kind == "sharded":
        spec["sharded"] = not spec["sharded"]
    elif kind == "kind":
        var["resource"] = not var["resource"]
    elif kind == "rank" and not var["parts"]:
        var["shape"] = var["shape"] + [1] if rng.random() < 0.7 or 1 not in var["shape"] else [d for d in var["shape"] if d != 1]
    elif kind == "open" and not var["parts"]:
        var["open"] = True
    elif kind == "reshape":
        spec["reshape"] = not spec["reshape"]
    for v in spec["vars"].values():
        if v["parts"] and v["parts"][1] > v["shape"][v["parts"][0]]:
            v["parts"] = None
        if v["parts"]:
            v["open"] = False
    if spec["reshape"]:
        for v in spec["vars"].values():
            v["open"] = False
    return spec


def base_names(rng):
    spec = {"sharded": rng.random() < 0.4, "reshape": False, "strip": rng.random() < 0.5, "vars": {}}
    for n in range(rng.randint(2, 5)):
        spec["vars"][rng.choice(["model/", "model/", ""]) + f"v{n}"] = random_var(rng)
    spec["vars"]["global_step"] = {"shape": [], "dtype": "int64", "resource": rng.random() < 0.5, "parts": None,
                                   "cpu": 0, "open": False}
    return spec


def names_group(out, specs):
    """Every checkpoint into every model."""
    start(out)
    for n, spec in enumerate(specs):
        write_names(spec, f"v{n}")
    pairs = []
    for j in range(len(specs)):
        for i in range(len(specs)):
            pairs.append({"checkpoint": f"v{i}", "model": f"v{j}.meta", **restore_names(f"./v{i}", f"v{j}.meta")})
    finish(pairs)


# Object-based -------------------------------------------------------------------------------------------------------

class Module(tf.Module):
    pass


SENTINEL = 77


def variable(spec, value):
    dtype = tf.as_dtype(spec["dtype"])
    filled = tf.fill(spec["shape"], tf.cast(value, dtype)) if dtype != tf.bool else tf.fill(spec["shape"], value != SENTINEL)
    return tf.Variable(filled, name=spec["name"])


def build(spec, value):
    """Objects as `spec` says: a variable, a list, a dictionary, an object; {"same": path} is one that is already there."""
    seen = {}

    def make(node, path):
        if "same" in node:
            return seen.get(node["same"])
        if "shape" in node:
            made = variable(node, value)
        elif "list" in node:
            made = [make(child, f"{path}/{n}") for n, child in enumerate(node["list"])]
            made = [m for m in made if m is not None]
        elif "dict" in node:
            made = {key: make(child, f"{path}/{key}") for key, child in node["dict"].items()}
            made = {k: m for k, m in made.items() if m is not None}
        else:
            made = Module()
            for key, child in node["attrs"].items():
                inner = make(child, f"{path}/{key}")
                if inner is not None:
                    setattr(made, key, inner)
        seen[path] = made
        return made

    return make(spec, "")


def random_variable(rng, n):
    shape = [rng.randint(1, 4) for _ in range(rng.choice([0, 1, 1, 2, 2]))]
    return {"shape": shape, "dtype": rng.choice(["float32", "float32", "float32", "int32", "int64", "float64"]),
            "name": rng.choice([f"w{n}", f"layer/w{n}", "w"])}


def random_node(rng, depth, counter):
    counter[0] += 1
    kind = rng.random()
    if depth == 0 or kind < 0.45:
        return random_variable(rng, counter[0])
    if kind < 0.6:
        return {"list": [random_node(rng, depth - 1, counter) for _ in range(rng.randint(0, 3))]}
    if kind < 0.72:
        return {"dict": {key: random_node(rng, depth - 1, counter) for key in rng.sample(["a", "b", "c.d", "e/f"], rng.randint(1, 2))}}
    return {"attrs": {f"x{n}": random_node(rng, depth - 1, counter) for n in range(rng.randint(1, 3))}}


def base_objects(rng):
    counter = [0]
    root = {"attrs": {name: random_node(rng, 2, counter) for name in rng.sample(["model", "net", "head", "step", "ema"], rng.randint(2, 3))}}
    root["attrs"]["model"] = {"attrs": {"w": random_variable(rng, 90), "b": random_variable(rng, 91)}}
    if rng.random() < 0.5:
        root["attrs"]["tied"] = {"same": "/model/w"}
    return root


def places(node, path=()):
    """Every node with its parent's container and key."""
    for kind in ("attrs", "dict", "list"):
        if kind in node:
            children = node[kind]
            for key in (list(children) if kind != "list" else range(len(children))):
                yield children, key
                yield from places(children[key])


def mutate_objects(rng, spec, kind=None):
    spec = json.loads(json.dumps(spec))
    all_places = list(places(spec))
    variables = [(c, k) for c, k in all_places if "shape" in c[k]]
    kind = kind or rng.choice(["shape", "dtype", "rename", "rename", "remove", "add", "reorder", "tie", "untie", "root", "rank", "empty", "nothing"])
    if not variables:
        return spec
    c, k = rng.choice(variables)
    node = c[k]
    if kind == "shape":
        if node["shape"]:
            node["shape"][rng.randrange(len(node["shape"]))] += 1
        else:
            node["shape"] = [1]
    elif kind == "rank":
        node["shape"] = node["shape"] + [1]
    elif kind == "dtype":
        node["dtype"] = rng.choice([d for d in ["float32", "int32", "int64", "float64"] if d != node["dtype"]])
    elif kind == "rename":
        c, k = rng.choice([(c, k) for c, k in all_places if isinstance(k, str)])
        c[k + "_new"] = c.pop(k)
    elif kind == "root" and "model" in spec["attrs"]:
        spec["attrs"] = {("net_new" if key == "model" else key): value for key, value in spec["attrs"].items()}
    elif kind == "remove":
        c, k = rng.choice(all_places)
        if isinstance(k, str):
            del c[k]
        else:
            c.pop(k)
    elif kind == "add":
        spec["attrs"]["added" + str(rng.randrange(5))] = random_node(rng, 1, [50 + rng.randrange(40)])
    elif kind == "reorder":
        keys = list(spec["attrs"])
        rng.shuffle(keys)
        spec["attrs"] = {key: spec["attrs"][key] for key in keys}
    elif kind == "tie":
        spec["attrs"]["tied2"] = {"same": "/model/w"}
    elif kind == "untie" and "tied" in spec["attrs"]:
        spec["attrs"]["tied"] = random_variable(rng, 33)
        target = spec["attrs"].get("model", {}).get("attrs", {}).get("w")
        if target and "shape" in target:
            spec["attrs"]["tied"].update(shape=target["shape"], dtype=target["dtype"])
    elif kind == "empty":
        spec["attrs"] = {"unrelated": random_variable(rng, 7)}
    return spec


def kwargs_of(spec, root):
    return {key: getattr(root, key) for key in spec["attrs"] if hasattr(root, key)}


def status_record(status):
    def holds(check):
        try:
            check()
            return True
        except AssertionError:
            return False
    record = {name: holds(getattr(status, name)) for name in
              ("assert_consumed", "assert_existing_objects_matched", "assert_nontrivial_match")}
    status.expect_partial()
    return record


def restore_record(call):
    """Runs the restore, and every assertion on what it returns."""
    try:
        status = call()
    except Exception as error:
        return {"outcome": "raises", "error": type(error).__name__, "message": clean(error)}
    record = {"outcome": "restores", **status_record(status)}
    return record


def unrestored(variables):
    """How many variables kept the value that they began with."""
    n = 0
    for v in variables:
        value = np.asarray(v.numpy())
        if value.size and value.dtype != object and np.all(value == (False if value.dtype == bool else SENTINEL)):
            n += 1
    return n


def objects_group(out, specs, exports=0, writes=()):
    start(out)
    for n, spec in enumerate(specs):
        root = build(spec, n + 1)
        checkpoint = tf.train.Checkpoint(**kwargs_of(spec, root))
        if n in writes:
            checkpoint.write(f"v{n}")
        else:
            path = checkpoint.save(f"./v{n}")
            for end in ("index", "data-00000-of-00001"):
                os.rename(f"{path}.{end}", f"v{n}.{end}")
        if n < exports:
            tf.saved_model.save(root, f"m{n}")
    pairs = []
    for j, spec in enumerate(specs):
        for i in range(len(specs)):
            root = build(spec, SENTINEL)
            checkpoint = tf.train.Checkpoint(**kwargs_of(spec, root))
            # What the program does whose checkpoint is the model: read() if it never numbered its saves.
            restore = checkpoint.read if j in writes and i in writes else checkpoint.restore
            record = restore_record(lambda: restore(f"./v{i}"))
            if record["outcome"] == "restores":
                record["unrestored"] = unrestored(root.variables)
            pairs.append({"checkpoint": f"v{i}", "model": f"v{j}", **record})
            if j < exports:
                loaded = tf.saved_model.load(f"m{j}")
                checkpoint = tf.train.Checkpoint(root=loaded)
                pairs.append({"checkpoint": f"v{i}", "model": f"m{j}",
                              **restore_record(lambda: checkpoint.restore(f"./v{i}"))})
    finish(pairs)


# Keras --------------------------------------------------------------------------------------------------------------

def keras_group(out, keras, specs, exports=()):
    """Models with optimizers; each spec is (layers' units, optimizer, what the Checkpoint is made of)."""
    start(out)

    def program(spec):
        keras.utils.set_random_seed(3)
        units, optimizer, parts = spec
        model = keras.Sequential([keras.layers.Input((3,))] + [keras.layers.Dense(u, name=f"dense_{n}") for n, u in enumerate(units)])
        kind = keras.optimizers.legacy if optimizer.startswith("legacy.") else keras.optimizers
        made = getattr(kind, optimizer.split(".")[-1])(0.01) if optimizer else None
        if made is not None:
            model.compile(made, "mse")
            model.train_on_batch(np.ones([2, 3], np.float32), np.zeros([2, units[-1]], np.float32))
        names = {"model": model, "net": model, "optimizer": made}
        return model, {key: names[key] for key in parts if names[key] is not None}

    for n, spec in enumerate(specs):
        model, parts = program(spec)
        path = tf.train.Checkpoint(**parts).save(f"./v{n}")
        for end in ("index", "data-00000-of-00001"):
            os.rename(f"{path}.{end}", f"v{n}.{end}")
        if n in exports:
            (model.export if hasattr(model, "export") and keras.__name__ == "keras" else model.save)(f"m{n}")
    pairs = []
    for j, spec in enumerate(specs):
        for i in range(len(specs)):
            model, parts = program(spec)
            checkpoint = tf.train.Checkpoint(**parts)
            pairs.append({"checkpoint": f"v{i}", "model": f"v{j}", **restore_record(lambda: checkpoint.restore(f"./v{i}"))})
        for e in exports:
            model, parts = program(spec)
            checkpoint = tf.train.Checkpoint(**parts)
            pairs.append({"checkpoint": f"m{e}", "model": f"v{j}", **restore_record(lambda: checkpoint.restore(f"m{e}"))})
    for j in exports:
        for i in range(len(specs)):
            loaded = tf.saved_model.load(f"m{j}")
            checkpoint = tf.train.Checkpoint(root=loaded)
            pairs.append({"checkpoint": f"v{i}", "model": f"m{j}", **restore_record(lambda: checkpoint.restore(f"./v{i}"))})
        pairs.append({"checkpoint": f"m{j}", "model": f"m{j}", **load_record(f"m{j}")})
    finish(pairs)


def load_record(directory):
    """tf.saved_model.load, which restores the variables beside the graph."""
    try:
        tf.saved_model.load(directory)
    except Exception as error:
        return {"outcome": "raises", "error": type(error).__name__, "message": clean(error)}
    return {"outcome": "restores"}


# From one kind into the other ---------------------------------------------------------------------------------------

def crossing_group(out, name_specs, object_specs):
    """Name-based checkpoints into objects, object-based ones into v1 graphs."""
    start(out)
    for n, spec in enumerate(name_specs):
        write_names(spec, f"n{n}")
    for n, spec in enumerate(object_specs):
        root = build(spec, n + 1)
        tf.train.Checkpoint(**kwargs_of(spec, root)).write(f"o{n}")
    pairs = []
    for n in range(len(name_specs)):
        for o, spec in enumerate(object_specs):
            pairs.append({"checkpoint": f"o{o}", "model": f"n{n}.meta", **restore_names(f"./o{o}", f"n{n}.meta")})
            root = build(spec, SENTINEL)
            checkpoint = tf.train.Checkpoint(**kwargs_of(spec, root))
            pairs.append({"checkpoint": f"n{n}", "model": f"o{o}", **restore_record(lambda: checkpoint.read(f"./n{n}"))})
    finish(pairs)


def crossing_specs(rng):
    """Programs in both styles that have the same names, or nearly."""
    base = {f"w{n}": {"shape": [rng.randint(1, 3) for _ in range(rng.randint(0, 2))], "dtype": rng.choice(["float32", "int32", "int64"])}
            for n in range(3)}

    def changed():
        new = json.loads(json.dumps(base))
        what = rng.choice(["nothing", "shape", "dtype", "missing", "extra"])
        name = rng.choice(sorted(new))
        if what == "shape":
            new[name]["shape"] = new[name]["shape"] + [2]
        elif what == "dtype":
            new[name]["dtype"] = "float64"
        elif what == "missing":
            del new[name]
        elif what == "extra":
            new["more"] = {"shape": [2], "dtype": "float32"}
        return new
    names, objects = [], []
    for n in range(3):
        new = changed() if n else base
        names.append({"sharded": False, "reshape": False, "strip": True, "vars": {
            name: {**var, "resource": rng.random() < 0.5, "parts": None, "cpu": 0, "open": False} for name, var in new.items()}})
        new = changed() if n else base
        objects.append({"attrs": {f"a_{name}": {**var, "name": name} for name, var in new.items()}})
    return names, objects


# Objects that are no variables ----------------------------------------------------------------------------------------

class Note(tf.train.experimental.PythonState):
    """State of Python, kept as one string."""

    def __init__(self, text):
        self.text = text

    def serialize(self):
        return self.text

    def deserialize(self, text):
        self.text = text


def odd_group(out):
    """Hash tables, iterators and state of Python; each spec says which of them a program has."""
    start(out)
    specs = [("table", "iterator", "note", "v"), ("v",), ("table", "v"), ("float_table", "iterator", "v"), ("note", "table"),
             ("variable_as_table", "v"), ("table_as_v",)]

    def program(spec):
        table = lambda value: tf.lookup.experimental.MutableHashTable(tf.string, value, tf.zeros([], value))
        parts = {}
        for part in spec:
            name = {"float_table": "table", "variable_as_table": "table", "table_as_v": "v"}.get(part, part)
            if part in ("table", "table_as_v", "float_table"):
                parts[name] = table(tf.float32 if part == "float_table" else tf.int64)
                parts[name].insert(["a", "b"], tf.cast([1, 2], parts[name].value_dtype))
            elif part == "iterator":
                parts[name] = iter(tf.data.Dataset.range(5))
            elif part == "note":
                parts[name] = Note("text")
            else:
                parts[name] = tf.Variable([1.0, 2.0], name="v")
        return parts

    for n, spec in enumerate(specs):
        tf.train.Checkpoint(**program(spec)).write(f"v{n}")
    pairs = []
    for j, spec in enumerate(specs):
        for i in range(len(specs)):
            checkpoint = tf.train.Checkpoint(**program(spec))
            pairs.append({"checkpoint": f"v{i}", "model": f"v{j}", **restore_record(lambda: checkpoint.read(f"./v{i}"))})
    finish(pairs)


# SavedModels and their own variables --------------------------------------------------------------------------------

def swapped_group(out, specs):
    """SavedModels whose variables are another's: restored by the loader."""
    start(out)
    for n, spec in enumerate(specs):
        tf.saved_model.save(build(spec, n + 1), f"m{n}")
    pairs = []
    for i in range(len(specs)):
        for j in range(len(specs)):
            name = f"m{j}" if i == j else f"m{j}_with_{i}"
            if i != j:
                os.makedirs(f"{name}/variables")
                shutil.copy(f"m{j}/saved_model.pb", f"{name}/saved_model.pb")
                for file in os.listdir(f"m{i}/variables"):
                    shutil.copy(f"m{i}/variables/{file}", f"{name}/variables/{file}")
            pairs.append({"checkpoint": name, "model": name, **load_record(name)})
    finish(pairs)


def v1_saved_models(out, specs):
    """SavedModels of TensorFlow 1, some with variables of another, loaded in a session."""
    start(out)
    for n, spec in enumerate(specs):
        built, _ = graph(spec)
        with v1.Session(graph=built, config=CONFIG) as session, built.as_default():
            session.run(v1.global_variables_initializer())
            builder = v1.saved_model.Builder(f"m{n}")
            builder.add_meta_graph_and_variables(session, ["serve"], strip_default_attrs=True)
            builder.save()
    pairs = []
    for i in range(len(specs)):
        for j in range(len(specs)):
            name = f"m{j}" if i == j else f"m{j}_with_{i}"
            if i != j:
                shutil.copytree(f"m{i}/variables", f"{name}/variables")
                shutil.copy(f"m{j}/saved_model.pb", f"{name}/saved_model.pb")
            built = tf.Graph()
            record = {"outcome": "restores"}
            with built.as_default(), v1.Session(graph=built, config=CONFIG) as session:
                try:
                    v1.saved_model.loader.load(session, ["serve"], name)
                    record["wrong_shape"] = sorted(
                        var for var, static, now in variable_shapes(session, built)
                        if static is not None and not (len(static) == len(now) and all(s in (-1, n) for s, n in zip(static, now))))
                except Exception as error:
                    record = {"outcome": "raises", "error": type(error).__name__, "message": clean(error)}
            pairs.append({"checkpoint": name, "model": name, **record})
    finish(pairs)


# ---------------------------------------------------------------------------------------------------------------------

def start(out):
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    os.chdir(out)


def finish(pairs):
    """Writes pairs.json, and removes what no test reads."""
    for name in pathlib.Path(".").rglob("*"):
        if name.name in ("fingerprint.pb", "checkpoint", "keras_metadata.pb"):
            name.unlink()
    for name in sorted(pathlib.Path(".").rglob("*"), reverse=True):
        if name.is_dir() and not any(name.iterdir()):
            name.rmdir()
    lines = ",\n".join(json.dumps(pair, ensure_ascii=False) for pair in pairs)
    pathlib.Path("pairs.json").write_text(f'{{"tensorflow": "{tf.__version__}", "pairs": [\n{lines}\n]}}\n')
    raised = sum(pair["outcome"] == "raises" for pair in pairs)
    print(f"{pathlib.Path('.').resolve().name}: {len(pairs)} pairs, {raised} raise", flush=True)
    gc.collect()


def chain(rng, base, mutate, n):
    """A program and `n - 1` others, each a change or two away from one of those before."""
    specs = [base]
    while len(specs) < n:
        spec = rng.choice(specs)
        for _ in range(rng.choice([1, 1, 2])):
            spec = mutate(rng, spec)
        specs.append(spec)
    return specs


def committed(rng):
    """One of every kind of change, rather than random ones."""
    def var(shape, dtype="float32", resource=False, parts=None, cpu=0):
        return {"shape": shape, "dtype": dtype, "resource": resource, "parts": parts, "cpu": cpu, "open": False}

    base = {"sharded": False, "reshape": False, "strip": True, "vars": {
        "model/kernel": var([2, 3]), "model/bias": var([3], resource=True), "table": var([4, 2], parts=[0, 2], cpu=1),
        "half": var([4], "float16", parts=[0, 2]), "global_step": var([], "int64")}}

    def changed(**changes):
        new = json.loads(json.dumps(base))
        for key, value in changes.items():
            if key in new:
                new[key] = value
            elif value is None:
                del new["vars"][key.replace("__", "/")]
            else:
                new["vars"].setdefault(key.replace("__", "/"), var([1])).update(value)
        return new
    renamed = changed()
    renamed["vars"] = {name.replace("model/", "net/"): v for name, v in renamed["vars"].items()}
    names = [base, changed(model__kernel={"shape": [3, 2]}), changed(model__bias={"shape": [4]}),
             changed(model__bias={"shape": [3, 1]}, global_step={"dtype": "int32"}), renamed,
             changed(model__bias=None, extra={"shape": [2]}), changed(table={"parts": [1, 2]}, sharded=True),
             changed(table={"shape": [6, 2]}, half={"parts": None}), changed(model__kernel={"shape": [6]}, reshape=True)]

    def dnn(units):
        weights = {"dnn/hiddenlayer_0/kernel": [4, units], "dnn/hiddenlayer_0/bias": [units],
                   "dnn/logits/kernel": [units, 3], "dnn/logits/bias": [3]}
        both = {name + end: shape for name, shape in weights.items() for end in ("", "/t_0/Adagrad")}
        return {"sharded": False, "reshape": False, "strip": True, "vars": {
            **{name.replace("/t_0", ""): var(shape, parts=[0, 1]) for name, shape in both.items()},
            "global_step": var([], "int64")}}

    w, b = {"shape": [2, 3], "dtype": "float32", "name": "w"}, {"shape": [3], "dtype": "float32", "name": "b"}
    model = {"attrs": {"w": w, "b": b}}
    step = {"shape": [], "dtype": "int64", "name": "step"}

    def program(model=model, **more):
        return {"attrs": {"model": model, "step": step, "lists": {"list": [b, w]}, "dict": {"dict": {"a/b": b, "c.d": w}}, **more}}
    objects = [program(tied={"same": "/model/w"}), program(), program(tied=w),
               {"attrs": {"net": model, "step": step}}, program({"attrs": {"b": b, "w": {**w, "shape": [3, 2]}}}),
               program({"attrs": {"w": w, "b": {**b, "dtype": "float64"}}}), program({"attrs": {"kernel": w, "b": b}}),
               {"attrs": {"step": step, "dict": {"dict": {"c.d": w}}, "model": {"attrs": {"b": b, "w": w}}}},
               {"attrs": {"other": w}}]
    return [("names", lambda out: names_group(out, names)),
            ("hidden_units", lambda out: names_group(out, [dnn(10), dnn(20)])),
            ("objects", lambda out: objects_group(out, objects, 1, {1}))]


KERAS = [
    ([4, 2], "legacy.Adam", ["model", "optimizer"]),
    ([4, 2], "legacy.SGD", ["model", "optimizer"]),
    ([5, 2], "legacy.Adam", ["model", "optimizer"]),
    ([4, 2], "Adam", ["model", "optimizer"]),
    ([4, 2], "", ["model"]),
    ([4, 4, 2], "", ["model"]),
    ([4, 2], "", ["net"]),
]
KERAS3 = [
    ([4, 2], "Adam", ["model", "optimizer"]),
    ([4, 2], "SGD", ["model", "optimizer"]),
    ([5, 2], "Adam", ["model", "optimizer"]),
    ([4, 2], "", ["model"]),
    ([4, 4, 2], "", ["model"]),
    ([4, 2], "", ["net"]),
    ([4, 2], "Adam", ["model"]),
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--names", type=int, default=1)
    parser.add_argument("--objects", type=int, default=1)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    rng = random.Random(args.seed)
    out = (args.out or HERE).resolve()
    random_run = args.out is not None
    todo = []
    if not random_run:
        todo += committed(rng)
    for n in range(args.names if random_run else 0):
        specs = chain(rng, base_names(rng), mutate_name, 6)
        todo.append((f"names_{n}", lambda out, specs=specs: names_group(out, specs)))
    for n in range(args.objects if random_run else 0):
        specs = chain(rng, base_objects(rng), mutate_objects, 6)
        todo.append((f"objects_{n}", lambda out, specs=specs, n=n: objects_group(out, specs, 2, {1} if n % 2 == 0 else {0, 2})))
    for n in range(max(1, args.names // 4)):
        specs = crossing_specs(rng)
        todo.append((f"crossing_{n}", lambda out, specs=specs: crossing_group(out, *specs)))
        specs = chain(rng, base_objects(rng), mutate_objects, 3 if random_run else 2)
        todo.append((f"swapped_{n}", lambda out, specs=specs: swapped_group(out, specs)))
        specs = chain(rng, base_names(rng), mutate_name, 3 if random_run else 2)
        todo.append((f"v1_saved_models_{n}", lambda out, specs=specs: v1_saved_models(out, specs)))

    def tf_keras(out):
        import tf_keras
        keras_group(out, tf_keras, KERAS, (0,) if random_run else ())

    def keras3(out):
        import keras
        keras_group(out, keras, KERAS3, (3,) if random_run else ())
    todo += [("odd", odd_group), ("tf_keras", tf_keras), ("keras3", keras3)]
    for name, make in todo:
        if args.only and args.only not in name:
            continue
        try:
            make(out / name)
        except Exception as error:
            if not random_run:
                raise
            # A random program that TensorFlow itself refuses to save is no pair.
            print(f"{name}: {type(error).__name__} {str(error)[:200]}", file=sys.stderr, flush=True)
            shutil.rmtree(out / name, ignore_errors=True)


if __name__ == "__main__":
    main()
