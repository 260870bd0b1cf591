"""A family of checkpoints by real TensorFlow: a run, what continued it, what was fine-tuned, copied, exported and averaged,
and strangers. `expected.json` has what each was made from."""
import json, os, pathlib, shutil, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import numpy as np
import tensorflow as tf

oracle.enter(__file__)
v1 = tf.compat.v1
made = {}


def train(directory, saves, base=None, restore=None, frozen=(), head="head", seed=7, names=None):
    """Trains a small model to each of these steps, from the weights `restore` of `base`."""
    with tf.Graph().as_default(), v1.Session() as session:
        body = [v1.get_variable(n, s, initializer=v1.initializers.random_normal(seed=seed + i)) for i, (n, s) in
                enumerate((("body/a/kernel", (6, 5)), ("body/a/gamma", (5,)), ("body/b/kernel", (5, 4))))]
        top = [v1.get_variable(f"{head}/kernel", (4, 3), initializer=v1.initializers.random_normal(seed=seed + 9)),
               v1.get_variable(f"{head}/bias", (16,), initializer=v1.zeros_initializer())]
        step = v1.train.get_or_create_global_step()
        trained = [v for v in body + top if not any(v.op.name.startswith(f) for f in frozen)]
        given = [v1.placeholder(tf.float32, v.shape) for v in trained]
        apply = v1.train.AdamOptimizer(0.01).apply_gradients(list(zip(given, trained)), global_step=step)
        session.run(v1.global_variables_initializer())
        if base:
            wanted = v1.global_variables() if restore is None else [v for v in v1.global_variables() if v.op.name.startswith(restore)]
            v1.train.Saver(wanted).restore(session, base)
        saver = v1.train.Saver(max_to_keep=100)
        random = np.random.RandomState(seed)
        for until in saves:
            while session.run(step) < until:
                session.run(apply, {g: random.normal(0, 1, g.shape).astype("f") for g in given})
            saver.save(session, f"./{directory}/model.ckpt", until, write_meta_graph=False)


def copy(source, target):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    for path in pathlib.Path(os.path.dirname(source)).glob(os.path.basename(source) + ".*"):
        shutil.copy(path, target + path.name[len(os.path.basename(source)):])


def read(prefix):
    reader = tf.train.load_checkpoint(prefix)
    return {name: reader.get_tensor(name) for name in sorted(reader.get_variable_to_shape_map())}


train("run", [10, 20, 30])
for step in (20, 30):
    made[f"run/model.ckpt-{step}"] = ["continues", [f"run/model.ckpt-{step - 10}"]]

# Resumed in another directory: the first checkpoint is saved before anything is trained.
train("resumed", [30, 40], base="run/model.ckpt-30")
made["resumed/model.ckpt-30"] = ["copy", ["run/model.ckpt-30"]]
made["resumed/model.ckpt-40"] = ["continues", ["resumed/model.ckpt-30"]]

train("tuned", [5, 10], base="run/model.ckpt-30", restore="body", frozen=("body",), head="classes", seed=11)
made["tuned/model.ckpt-5"] = ["fine_tuned", ["run/model.ckpt-30"]]
made["tuned/model.ckpt-10"] = ["continues", ["tuned/model.ckpt-5"]]

copy("run/model.ckpt-20", "kept/best.ckpt")
made["kept/best.ckpt"] = ["copy", ["run/model.ckpt-20"]]

values = read("run/model.ckpt-30")
weights = {n: v for n, v in values.items() if not n.endswith(("Adam", "Adam_1")) and "/" in n}
oracle.save("export/model", {f"serving/{n.replace('/', '_')}": v for n, v in weights.items()})
made["export/model"] = ["export", ["run/model.ckpt-30"]]

last = [read(f"run/model.ckpt-{step}") for step in (10, 20, 30)]
mean = {n: np.mean([v[n].astype("d") for v in last], axis=0).astype("f") for n in weights}
oracle.save("mean/model", mean)
made["mean/model"] = ["average", ["run/model.ckpt-10", "run/model.ckpt-20", "run/model.ckpt-30"]]

mixed = {n: (0.75 * last[2][n].astype("d") + 0.25 * last[0][n].astype("d")).astype("f") for n in weights}
oracle.save("mixed/model", mixed)
made["mixed/model"] = ["average", ["run/model.ckpt-10", "run/model.ckpt-30"]]

# The same program, from other random numbers; the same zeros and ones are in all of them.
train("stranger", [10], seed=70)
train("other", [30], seed=170)
for name in ("stranger/model.ckpt-10", "other/model.ckpt-30", "run/model.ckpt-10"):
    made[name] = [None, []]

# Layers of two models in one.
other = read("stranger/model.ckpt-10")
oracle.save("merged/model", {n: (last[2] if n.startswith("body") else other)[n] for n in weights})
made["merged/model"] = ["fine_tuned", ["run/model.ckpt-30"]]

# Data whose index was lost, and data that was moved away from its index.
os.makedirs("strays")
shutil.copy("run/model.ckpt-20.data-00000-of-00001", "strays/old.data-00000-of-00001")
with open("strays/noise.data-00000-of-00001", "wb") as file:
    file.write(b"x" * 100)

with open("expected.json", "w") as file:
    json.dump({"tensorflow": tf.__version__, "made": made, "strays": {"strays/old.data-00000-of-00001": "run/model.ckpt-20",
               "strays/noise.data-00000-of-00001": None}}, file, indent=1)
    file.write("\n")
