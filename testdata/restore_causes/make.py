"""Restores that fail or leave something out, one of every cause, and the proof that the advice is right.

    CKPT=target/debug/ckpt make.py [CASE…]

A case is a directory with a checkpoint (`stored`), a model (`model.meta`, or `model`: the checkpoint of a program) and
expected.json: what TensorFlow did (`outcome`, `error`, `message`), what `ckpt validate --against` advised (`repairs`),
and what came of it when its options and its lines of Python, as they are printed, were followed in TensorFlow: which
variables got the value that they must have (`restored`) and which kept their first one (`kept`). This program fails if
any other value comes out. Tests compare the advice with the one that was followed.
"""
import json, os, pathlib, re, shutil, subprocess, sys, zlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
HERE = pathlib.Path(__file__).resolve().parent
CKPT = os.environ.get("CKPT", "ckpt")
F = "float32"


def clean(error):
    text = getattr(error, "message", None) or str(error)
    text = re.sub(r"\n?Graph execution error:.*?\n\n", "", text, flags=re.S)
    text = text.split("\nOriginal stack trace")[0].split(" [Op:")[0].split("\n\t [[")[0].replace(os.getcwd() + "/", "")
    text = re.sub(r"(?m)^(Detected at node .*|Node: .*| +File .*|\d root error.*|\t.*)\n?", "", text)
    return re.sub(r"\{\{[^}]*\}\} ?", "", text)[:600].strip()


def value(label, shape, dtype):
    """A value that no other label has."""
    rng = np.random.RandomState(zlib.crc32(label.encode()))
    if dtype == "string":
        return np.array([f"{label}-{n}".encode() for n in range(int(np.prod(shape)))], object).reshape(shape)
    return rng.randint(1, 100, shape).astype(tf.as_dtype(dtype).as_numpy_dtype)


# By names: graphs and savers ----------------------------------------------------------------------------------------

def spec(of):
    """Shape, dtype and number of parts; of most only the shape is written."""
    if isinstance(of, list) or not of or isinstance(of[0], int):
        return list(of), F, None
    return list(of[0]), of[1], of[2] if len(of) > 2 else None


def graph(variables, values):
    """A graph with variables, each name with its shape, its dtype and how many parts it has."""
    built = tf.Graph()
    with built.as_default():
        for name, of in variables.items():
            shape, dtype, parts = spec(of)
            first = values(name, shape, dtype)
            # A name that ends in `:0` is none of a node: it is the saver's.
            node = name.replace(":0", "")
            if parts:
                rows = lambda shape, dtype=None, partition_info=None: tf.constant(
                    first[partition_info.var_offset[0]:partition_info.var_offset[0] + shape[0]], dtype)
                v1.get_variable(node, shape, dtype, rows, partitioner=v1.fixed_size_partitioner(parts))
            else:
                v1.get_variable(node, initializer=tf.constant(first, dtype, shape))
        ends = any(name.endswith(":0") for name in variables)
        saver = v1.train.Saver({v.op.name + ":0": v for v in v1.global_variables()} if ends else None)
    return built, saver


def unset(name, shape, dtype):
    return np.full(shape, b"unset" if dtype == "string" else 0, object if dtype == "string" else tf.as_dtype(dtype).as_numpy_dtype)


def make_names(stored, model):
    built, saver = graph(stored, value)
    with built.as_default(), v1.Session(graph=built) as session:
        session.run(v1.global_variables_initializer())
        saver.save(session, "./stored", write_meta_graph=False, write_state=False)
    built, saver = graph(model, unset)
    with built.as_default():
        saver.export_meta_graph("model.meta", strip_default_attrs=True)


def restore_names():
    with tf.Graph().as_default() as built, v1.Session(graph=built) as session:
        saver = v1.train.import_meta_graph("model.meta")
        try:
            saver.restore(session, "./stored")
        except Exception as error:
            return {"outcome": "raises", "error": type(error).__name__, "message": clean(error)}
    return {"outcome": "restores"}


def follow_names(repair, model, truth):
    """Runs the advice; says which variables got the value of which tensor."""
    options = repair["options"]
    if "map.json" in " ".join(repair["code"]):
        with open("map.json", "w") as out:
            subprocess.run([CKPT, "validate", "stored", "--against", "model.meta", *options, "--emit", "assignment-map", "--quiet"],
                           stdout=out, check=False)
    # A program builds its graph itself, so that partitioned variables are known for what they are.
    built, _ = graph(model, unset)
    with built.as_default(), v1.Session(graph=built) as session:
        exec("\n".join(repair["code"]), {"tf": tf, "session": session})
        restored, kept = [], []
        for v in v1.global_variables():
            name = v.op.name
            now = session.run(v)
            shape, dtype, parts = spec(model.get(name, model.get(name.split("/part_")[0])))
            if np.array_equal(now, unset(name, list(now.shape), dtype)):
                kept.append(name)
                continue
            whole = name.split("/part_")[0]
            of = truth(whole)
            should = value(of, shape, dtype)
            if parts:
                n = int(name.rsplit("_", 1)[1])
                should = np.array_split(should, parts)[n]
            assert np.array_equal(now, should), f"{name}: not the value of {of}: {now} {should}"
            restored.append(name)
    if os.path.exists("map.json"):
        os.remove("map.json")
    return {"restored": sorted(restored), "kept": sorted(kept)}


# By objects ---------------------------------------------------------------------------------------------------------

def fill(variables, values):
    for label, v in variables.items():
        v.assign(values(label, v.shape.as_list() if hasattr(v.shape, "as_list") else list(v.shape), v.dtype if isinstance(v.dtype, str) else v.dtype.name))


def restore_objects(build):
    parts, _, _ = build()
    try:
        status = tf.train.Checkpoint(**parts).restore("./stored-1")
    except Exception as error:
        return {"outcome": "raises", "error": type(error).__name__, "message": clean(error)}
    record = {"outcome": "restores"}
    for name in ["assert_consumed", "assert_existing_objects_matched", "assert_nontrivial_match"]:
        try:
            getattr(status, name)()
            record[name] = True
        except AssertionError:
            record[name] = False
    return record


def follow_objects(repair, build, truth):
    _, variables, names = build()
    fill(variables, unset)
    exec("\n".join(repair["code"]), {"tf": tf, **names})
    restored, kept = [], []
    for label, v in variables.items():
        now = v.numpy()
        dtype = v.dtype if isinstance(v.dtype, str) else v.dtype.name
        if np.array_equal(now, unset(label, list(now.shape), dtype)):
            kept.append(label)
            continue
        assert np.array_equal(now, value(truth(label), list(now.shape), dtype)), f"{label}: {now}"
        restored.append(label)
    return {"restored": sorted(restored), "kept": sorted(kept)}


def advice(model):
    told = subprocess.run([CKPT, "validate", "stored" if os.path.exists("stored.index") else "stored-1", "--against", model,
                           "--format", "json"], capture_output=True, text=True)
    if told.returncode not in (0, 1):
        raise SystemExit(told.stderr + told.stdout)
    restore = json.loads(told.stdout)["restore"]
    return restore["repairs"], restore


# The cases ----------------------------------------------------------------------------------------------------------

def same(name):
    return name


def mlp(*names, sizes=None, **more):
    """Dense layers with these names."""
    sizes = sizes or [3 + n for n in range(len(names) + 1)]
    layers = {}
    for n, name in enumerate(names):
        layers[f"{name}/kernel"] = [sizes[n], sizes[n + 1]]
        layers[f"{name}/bias"] = [sizes[n + 1]]
    return {**layers, **more}


def swapped(pairs):
    """What a model's name is in the checkpoint: substitutions of whole beginnings, or any function."""
    return lambda name: next((old + name[len(new):] for new, old in pairs if name.startswith(new)), name)


def cells(cell, kernel, bias, *gates):
    return {f"rnn/{cell.format(n)}/{gate}{end}": [4 + n + 2 * at, 3 + at] if at == 0 or end == kernel else [3 + at + n]
            for n in range(2) for gate in gates for at, end in enumerate([kernel, bias])}


# name: checkpoint, model, what each variable's value is called in the checkpoint, variables that must keep theirs
NAMES = {
    "new_head": (mlp("dense_1", "dense_5", sizes=[6, 5, 10]), mlp("dense_1", "head3", sizes=[6, 5, 4]), same, "head3/"),
    "new_head_with_slots": (
        {k + end: s for k, s in mlp("body", "out", sizes=[3, 4, 8]).items() for end in ("", "/Adam")},
        {k + end: s for k, s in mlp("body", "logits", sizes=[3, 4, 2]).items() for end in ("", "/Adam")}, same, "logits/"),
    "adapters": (
        {f"layer_{n}/{k}": s for n in range(10) for k, s in mlp("att").items()},
        {f"layer_{n}/{k}": s for n in range(10) for k, s in {**mlp("att"), "adapter/down": [2, 2], "gate": [3]}.items()},
        same, r"layer_\d/(adapter|gate)"),
    "classes": (mlp("body", "logits", sizes=[4, 5, 7]), mlp("body", "logits", sizes=[4, 5, 3]), same, "logits/"),
    "partitioned_vocabulary": (
        {"item_embed": ([8, 3], F, 2), "w": [3, 3]}, {"item_embed": ([6, 3], F, 2), "w": [3, 3]}, same, "item_embed"),
    "scope_added": (mlp("a", "b"), {f"net/{k}": s for k, s in mlp("a", "b").items()}, lambda n: n[4:], None),
    "scope_removed": ({f"tower/net/{k}": s for k, s in mlp("a", "b").items()}, mlp("a", "b"), lambda n: "tower/net/" + n, None),
    "scope_and_head": (
        {f"bert/{k}": s for k, s in mlp("a", "b", "cls", sizes=[3, 4, 5, 9]).items()},
        {**{f"model/enc/{k}": s for k, s in mlp("a", "b", sizes=[3, 4, 5]).items()}, **mlp("task", sizes=[5, 2])},
        lambda n: n.replace("model/enc", "bert"), "task/"),
    "infix": (
        {f"enc/layer_{n}/attention/{k}": s for n in range(3) for k, s in mlp("q", "k").items()},
        {f"enc/layer_{n}/self/attention/{k}": s for n in range(3) for k, s in mlp("q", "k").items()},
        lambda n: n.replace("/self", ""), None),
    "suffix_output": ({k + ":0": s for k, s in mlp("a", "b").items()}, mlp("a", "b"), lambda n: n + ":0", None),
    "dots": ({k.replace("/", "."): s for k, s in mlp("enc/a", "enc/b").items()}, mlp("enc/a", "enc/b"), lambda n: n.replace("/", "."), None),
    "dots_and_scope": (
        {k.replace("/", "."): s for k, s in mlp("enc/a", "enc/b").items()}, mlp("net/enc/a", "net/enc/b"),
        lambda n: n[4:].replace("/", "."), None),
    "suffix_and_infix": (
        {f"m/block_{n}/Conv/{e}": [2, 3 + n] if e == "weights" else [3 + n] for n in range(3) for e in ("weights", "biases")},
        {f"m/block_{n}/conv2d/{e}": [2, 3 + n] if e == "kernel" else [3 + n] for n in range(3) for e in ("kernel", "bias")},
        lambda n: n.replace("conv2d", "Conv").replace("kernel", "weights").replace("bias", "biases"), None),
    "numbered_layers": (
        {f"layer_{n}/kernel": [4, 4] for n in range(4)}, {f"block_{n}/kernel": [4, 4] for n in range(4)},
        lambda n: n.replace("block_", "layer_"), None),
    "numbered_dots": (
        {f"layer_{n}/{e}": s for n in range(3) for e, s in (("kernel", [4, 4]), ("bias", [4]))},
        {f"net/layers.{n}/{e}": s for n in range(3) for e, s in (("kernel", [4, 4]), ("bias", [4]))},
        lambda n: n.replace("net/layers.", "layer_"), None),
    "numbered_padded": (
        {f"block_{n}/kernel": [2, 3 + n] for n in (1, 2, 10)}, {f"block_{n:02}/kernel": [2, 3 + n] for n in (1, 2, 10)},
        lambda n: n.replace("block_0", "block_"), None),
    "numbered_from_one": (
        {f"layer_{n}/kernel": [2, 3 + n] for n in range(3)}, {f"block_{n + 1}/kernel": [2, 3 + n] for n in range(3)},
        lambda n: "layer_" + str(int(n[6]) - 1) + n[7:], None),
    "renamed_throughout": (
        {f"bert/encoder/layer_{n}/{e}/kernel": [3, 3] if "att" in e else [3, 4] for n in range(2)
         for e in ("attention/self/query", "attention/self/key", "attention/self/value", "intermediate/dense")},
        {f"model/blocks/{n}/{e}/kernel": [3, 3] if "att" in e else [3, 4] for n in range(2)
         for e in ("attn/q", "attn/k", "attn/v", "mlp/up")},
        lambda n: n.replace("model/blocks/", "bert/encoder/layer_").replace("attn/q", "attention/self/query")
                   .replace("attn/k/", "attention/self/key/").replace("attn/v", "attention/self/value")
                   .replace("mlp/up", "intermediate/dense"), None),
    "renamed_beyond_telling": (
        {f"net/{e}/kernel": [3, 3] for e in ("aaa", "bbb", "ccc", "ddd")},
        {f"net/{e}/kernel": [3, 3] for e in ("www", "xxx", "yyy", "zzz")}, lambda n: n, None),
    "cells_before_1_0": (
        cells("MultiRNNCell/Cell{}/BasicLSTMCell", "Linear/Matrix", "Linear/Bias", ""),
        cells("multi_rnn_cell/cell_{}/basic_lstm_cell", "kernel", "bias", ""),
        lambda n: n.replace("multi_rnn_cell/cell_", "MultiRNNCell/Cell").replace("basic_lstm_cell", "BasicLSTMCell")
                   .replace("kernel", "Linear/Matrix").replace("bias", "Linear/Bias"), None),
    "cells_before_1_2": (
        cells("gru_cell_{}", "weights", "biases", "gates/", "candidate/"), cells("gru_cell_{}", "kernel", "bias", "gates/", "candidate/"),
        lambda n: n.replace("kernel", "weights").replace("bias", "biases"), None),
    "shifted_certain": (mlp("dense_1", "dense_2", "dense_3"), mlp("dense", "dense_1", "dense_2"),
                        swapped([("dense/", "dense_1/"), ("dense_1/", "dense_2/"), ("dense_2/", "dense_3/")]), None),
    "shifted_alike": (mlp("dense_1", "dense_2", "dense_3", sizes=[4] * 4), mlp("dense", "dense_1", "dense_2", sizes=[4] * 4),
                      swapped([("dense/", "dense_1/"), ("dense_1/", "dense_2/"), ("dense_2/", "dense_3/")]), None),
    "shifted_up": (mlp("net/conv", "net/conv_1", "net/conv_2", sizes=[3, 4, 4, 5]), mlp("net/conv_4", "net/conv_5", "net/conv_6", sizes=[3, 4, 4, 5]),
                   swapped([("net/conv_4/", "net/conv/"), ("net/conv_5/", "net/conv_1/"), ("net/conv_6/", "net/conv_2/")]), None),
    "layer_inserted": (mlp("dense", "dense_1", "dense_2", sizes=[3, 4, 5, 6]),
                       {**mlp("dense", sizes=[3, 4]), **mlp("dense_1", sizes=[4, 4]), **mlp("dense_2", "dense_3", sizes=[4, 5, 6])},
                       swapped([("dense_3/", "dense_2/"), ("dense_2/", "dense_1/")]), "dense_1/"),
    "variables_without_names": (
        {"Variable": [3, 2], "Variable_1": [2], "Variable_2": [2, 4], "Variable_3": [4]},
        {"Variable_4": [3, 2], "Variable_5": [2], "Variable_6": [2, 4], "Variable_7": [4]},
        lambda n: {"4": "Variable", "5": "Variable_1", "6": "Variable_2", "7": "Variable_3"}[n[-1]], None),
    "averages_wanted": ({**mlp("a", "b"), "global_step": ((), "int64")},
                        {**{k + "/ExponentialMovingAverage": s for k, s in mlp("a", "b").items()}, "global_step": ((), "int64")},
                        lambda n: n.replace("/ExponentialMovingAverage", ""), None),
    "averages_only": ({k + "/ExponentialMovingAverage": s for k, s in mlp("a", "b").items()}, mlp("a", "b"),
                      lambda n: n + "/ExponentialMovingAverage", None),
    "quantized": (mlp("conv"), {**mlp("conv"), "conv/act_quant/min": (), "conv/act_quant/max": (), "conv/weights_quant/min": (), "conv/weights_quant/max": ()},
                  same, ".*quant/"),
    "half": ({k: (s, "float16") for k, s in mlp("a", "b").items()}, mlp("a", "b"), None, None),
    "parts_as_variables": ({"emb": [6, 2], "w": [2]}, {"emb/part_0": [3, 2], "emb/part_1": [3, 2], "w": [2]}, None, None),
    "labels": ({"labels": ((4,), "string"), "w": [2], "v": [3]}, {"labels": ((3,), "string"), "w": [2], "v": [3]}, same, "labels"),
    "suffix_number": (mlp("a", "b"), {k + "_1": s for k, s in mlp("a", "b").items()}, lambda n: n[:-2], None),
    "layer_added_alike": (mlp("dense", "dense_1", sizes=[4] * 3), mlp("dense", "dense_1", "dense_2", sizes=[4] * 4), same, "dense_2/"),
    "layers_swapped": (mlp("dense", "dense_1", sizes=[3, 4, 2]), mlp("dense_1", "dense", sizes=[3, 4, 2]),
                       swapped([("dense/", "dense_1/"), ("dense_1/", "dense/")]), None),
    "averages_beside": (mlp("a", "b"), {k + e: s for k, s in mlp("a", "b").items() for e in ("", "/ExponentialMovingAverage")},
                        same, ".*/ExponentialMovingAverage"),
    "optimizer_wanted": (mlp("a", "b"), {**{k + e: s for k, s in mlp("a", "b").items() for e in ("", "/Adam", "/Adam_1")}, "beta1_power": ()},
                         same, ".*(/Adam|/Adam_1|beta1_power)"),
    "transposed": (mlp("a", "b"), {k: s[::-1] for k, s in mlp("a", "b").items()}, None, None),
    "step_only": (mlp("a", "b", global_step=((), "int64")), {"x/alpha": [7], "y/beta": [9, 2], "global_step": ((), "int64")}, None, None),
    "different": (mlp("a", "b"), {"x/alpha": [7], "y/beta": [9, 2]}, None, None),
}


class Net(tf.Module):
    pass


def net(**parts):
    made = Net()
    for name, part in parts.items():
        setattr(made, name, part)
    return made


def dense(label, rows, columns, variables, prefix=""):
    made = net(kernel=tf.Variable(tf.zeros([rows, columns])), bias=tf.Variable(tf.zeros([columns])))
    variables.update({f"{label}/kernel": made.kernel, f"{label}/bias": made.bias})
    return made


def o_attribute(new):
    v = {}
    enc, out = dense("enc", 3, 4, v), dense("out", 4, 2, v)
    model = net(encoder=enc, out=out) if new else net(enc=enc, out=out)
    return {"model": model}, v, {"model": model}


def o_deep(new):
    v = {}
    blocks = [net(att=dense(f"att{n}", 3, 4 + n, v), ff=dense(f"ff{n}", 4, 2, v)) if not new else
              net(attention=dense(f"att{n}", 3, 4 + n, v), ff=dense(f"ff{n}", 4, 2, v)) for n in range(3)]
    model = net(blocks=blocks)
    return {"model": model, "step": (step := tf.Variable(0, dtype=tf.int64))}, {**v, "step": step}, {"model": model, "step": step}


def o_level(removed):
    """An object more between the model and its layers, in the checkpoint or in the program."""
    def build(new):
        v = {}
        layers = net(a=dense("a", 3, 4, v), b=dense("b", 4, 2, v))
        model = layers if new == removed else net(core=layers)
        return {"model": model, "step": (step := tf.Variable(0, dtype=tf.int64))}, {**v, "step": step}, {"model": model, "step": step}
    return build


def o_root(new):
    v = {}
    model = net(a=dense("a", 3, 4, v), b=dense("b", 4, 2, v))
    return ({"net": model} if new else {"model": model}), v, {"net": model}


def o_new_head(new):
    v = {}
    model = net(body=dense("body", 3, 4, v), **({"head": dense("head", 4, 3, v)} if new else {"logits": dense("logits", 4, 9, v)}))
    return {"model": model}, v, {"model": model}


def o_head_size(new):
    v = {}
    model = net(body=dense("body", 3, 4, v), head=dense("head", 4, 3 if new else 9, v))
    return {"model": model}, v, {"model": model}


def o_list_inserted(new):
    v = {}
    blocks = [dense("first", 3, 4, v), dense("second", 4, 5, v), dense("third", 5, 2, v)]
    if new:
        blocks.insert(1, dense("between", 4, 4, v))
    model = net(blocks=blocks)
    return {"model": model}, v, {"model": model}


def o_list_alike(new):
    v = {}
    blocks = [dense(f"b{n}", 4, 4, v) for n in range(3)]
    model = net(blocks=[dense("in", 3, 4, v)] + blocks) if not new else net(blocks=[dense("in", 3, 4, v), dense("new", 4, 6, v)] + blocks)
    return {"model": model}, v, {"model": model}


def keras_parts(keras, sizes, optimizer=None, labels=None):
    import keras as keras3
    layers = [keras.layers.Dense(n) for n in sizes[1:]]
    model = keras.Sequential([keras.layers.Input((sizes[0],)), *layers])
    v = {}
    for n, layer in enumerate(layers):
        for name in ("kernel", "bias"):
            own = getattr(layer, name)
            v[f"{(labels or range(99))[n]}/{name}"] = getattr(own, "value", own) if keras is keras3 else own
    parts, names = {"model": model}, {"model": model}
    if optimizer:
        made = optimizer()
        if hasattr(made, "build"):
            made.build(model.trainable_variables)
        else:
            made._create_all_weights(model.trainable_variables)
        parts["optimizer"] = names["optimizer"] = made
    return parts, v, names


def keras_case(keras, old, new, old_optimizer=None, new_optimizer=None, old_labels=None, new_labels=None):
    def build(is_new):
        import keras as keras3
        import tf_keras
        library = {"keras": keras3, "tf_keras": tf_keras}[keras]
        which = new_optimizer if is_new else old_optimizer
        made = which and (lambda: eval(f"library.optimizers.{which}", {"library": library}))
        return keras_parts(library, new if is_new else old, made, new_labels if is_new else old_labels)
    return build


def keras_subclass(library, names, optimizer):
    """A subclassed model whose attributes have these names."""
    def build(is_new):
        import keras as keras3
        import tf_keras
        keras = {"keras": keras3, "tf_keras": tf_keras}[library]

        class Model(keras.Model):
            def __init__(self):
                super().__init__()
                for n, name in enumerate(names[is_new]):
                    setattr(self, name, keras.layers.Dense(4 - n))

            def call(self, x):
                for name in names[is_new]:
                    x = getattr(self, name)(x)
                return x
        model = Model()
        model(tf.zeros([1, 3]))
        v = {}
        for n, name in enumerate(names[is_new]):
            layer = getattr(model, name)
            for kind in ("kernel", "bias"):
                own = getattr(layer, kind)
                v[f"{n}/{kind}"] = getattr(own, "value", own) if keras is keras3 else own
        made = eval(f"keras.optimizers.{optimizer}")
        made.build(model.trainable_variables)
        return {"model": model, "optimizer": made}, v, {"model": model, "optimizer": made}
    return build


def o_dict(new):
    v = {}
    towers = {("en-GB" if new else "en/US"): dense("a", 3, 4, v), "de-AT": dense("b", 5, 4, v)}
    model = net(towers=towers, step=(step := tf.Variable(0, dtype=tf.int64)))
    return {"model": model}, {**v, "step": step}, {"model": model}


def o_nested_head(new):
    v = {}
    heads = [dense("first", 4, 2, v), dense("second", 4, 5 if new else 3, v)]
    model = net(body=net(layers=[dense("b0", 3, 4, v), dense("b1", 4, 4, v)]), heads=heads)
    return {"model": model}, v, {"model": model}


# name: the program before and after, what each variable's value is called in the checkpoint, what must keep its value
OBJECTS = {
    "objects_attribute": (o_attribute, same, None),
    "objects_deep_attribute": (o_deep, same, None),
    "objects_level_removed": (o_level(True), same, None),
    "objects_level_added": (o_level(False), same, None),
    "objects_root": (o_root, same, None),
    "objects_new_head": (o_new_head, same, "head/"),
    "objects_head_size": (o_head_size, same, "head/"),
    "objects_list_inserted": (o_list_inserted, same, "between/"),
    "objects_list_alike": (o_list_alike, same, "new/"),
    "objects_dict": (o_dict, same, None),
    "objects_nested_head": (o_nested_head, same, "second/"),
    "keras_attribute": (keras_subclass("keras", [("enc", "out"), ("encoder", "out")], "Adam()"), same, None),
    "tf_keras_attribute": (keras_subclass("tf_keras", [("enc", "out"), ("encoder", "out")], "Adam()"), same, None),
    "tf_keras_layer_inserted": (keras_case("tf_keras", [3, 4, 5, 2], [3, 4, 4, 5, 2], old_labels="abc", new_labels="axbc"), same, "x/"),
    "tf_keras_old_optimizer": (keras_case("tf_keras", [3, 4, 2], [3, 4, 2], "legacy.Adam()", "Adam()"), same, None),
    "tf_keras_new_optimizer": (keras_case("tf_keras", [3, 4, 2], [3, 4, 2], "Adam()", "legacy.Adam()"), same, None),
    "tf_keras_classes": (keras_case("tf_keras", [3, 4, 9], [3, 4, 2], "Adam()", "Adam()"), same, "1/"),
    "keras_adam_to_sgd": (keras_case("keras", [3, 4, 2], [3, 4, 2], "Adam()", "SGD(momentum=0.9)"), same, None),
    "keras_sgd_to_adam": (keras_case("keras", [3, 4, 2], [3, 4, 2], "SGD()", "Adam()"), same, None),
    "keras_classes": (keras_case("keras", [3, 4, 9], [3, 4, 2], "Adam()", "Adam()"), same, "1/"),
    "keras_layer_inserted": (keras_case("keras", [3, 4, 5, 2], [3, 4, 4, 5, 2], old_labels="abc", new_labels="axbc"), same, "x/"),
}


def one(name):
    out = HERE / name
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    os.chdir(out)
    if name in NAMES:
        stored, model, truth, keeps = NAMES[name]
        make_names(stored, model)
        record = restore_names()
        repairs, told = advice("model.meta")
        follow = lambda repair: follow_names(repair, model, truth)
    else:
        build, truth, keeps = OBJECTS[name]
        for is_new, prefix in ((False, "./stored"), (True, "./model")):
            parts, variables, _ = build(is_new)
            fill(variables, value if not is_new else unset)
            tf.train.Checkpoint(**parts).save(prefix)
        record = restore_objects(lambda: build(True))
        repairs, told = advice("model-1")
        follow = lambda repair: follow_objects(repair, lambda: build(True), truth)
    record["ok"] = told["ok"]
    assert (record["outcome"] == "raises") == (told["tensorflow"]["outcome"] == "raises"), (record, told["tensorflow"])
    followed = []
    for repair in repairs:
        if not repair["code"]:
            continue
        came = follow(repair)
        # Everything but what is new or has another size gets its value.
        wrong = [label for label in came["kept"] if not (keeps and re.match(keeps, label))]
        assert not wrong, (name, repair, came)
        assert repair["restores"] is not None
        repair = {key: repair[key] for key in ("options", "code", "restores")}
        followed.append({**repair, **came})
    record["repairs"] = followed
    if truth is not None and not followed:
        print(f"{name}: NO ADVICE", told["hints"])
    for junk in ("checkpoint", "map.json"):
        if os.path.exists(junk):
            os.remove(junk)
    text = json.dumps({"tensorflow": tf.__version__, **record}, indent=1, ensure_ascii=False)
    pathlib.Path("expected.json").write_text(text + "\n")
    print(name, record["outcome"], [(len(f["restored"]), len(f["kept"])) for f in followed], flush=True)


for name in sys.argv[1:] or [*NAMES, *OBJECTS]:
    try:
        one(name)
    except Exception as error:
        print(f"{name}: FAILED {type(error).__name__}: {str(error)[-400:] if 'Key' not in str(error) else re.findall('Key.*', str(error))[0]}", flush=True)
