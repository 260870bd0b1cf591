"""Runs to which something happened, by real optimizers: what `expected.json` says of each checkpoint was done to it."""
import json, os, pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import numpy as np
import tensorflow as tf
import keras
import tf_keras

oracle.enter(__file__)
v1 = tf.compat.v1
runs = {}


def done(name, **by_checkpoint):
    runs[name] = {key.replace("_", "-"): value for key, value in by_checkpoint.items()}


class V1:
    """A program of TensorFlow 1 with a global step, resumed as often as one likes."""

    def __init__(self, name, make, frozen=()):
        self.name, self.make, self.frozen = name, make, frozen
        self.values = None
        self.keep = []

    def go(self, saves, fresh=False, rate=0.01):
        """Goes on to each of these steps; with `fresh` the optimizer is not restored."""
        with tf.Graph().as_default(), v1.Session() as session:
            w = [v1.get_variable(n, s, initializer=v1.initializers.random_normal(seed=7)) for n, s in
                 (("body/kernel", (4, 3)), ("body/bias", (3,)), ("head/kernel", (3, 2)))]
            step = v1.train.get_or_create_global_step()
            trained = [v for v in w if v.op.name not in self.frozen]
            given = [v1.placeholder(tf.float32, v.shape) for v in trained]
            apply = self.make(rate).apply_gradients(list(zip(given, trained)), global_step=step)
            session.run(v1.global_variables_initializer())
            saver = v1.train.Saver(max_to_keep=100)
            if self.keep:
                saver.set_last_checkpoints(self.keep)
                restored = w + [step] if fresh else v1.global_variables()
                v1.train.Saver(restored).restore(session, self.values)
            random = np.random.RandomState(1)
            for until in saves:
                while session.run(step) < until:
                    session.run(apply, {g: random.normal(0, 1, g.shape).astype("f") for g in given})
                self.values = saver.save(session, f"./{self.name}/model.ckpt", until, write_meta_graph=False)
            self.keep = saver.last_checkpoints
            assert self.keep


adam = lambda rate: v1.train.AdamOptimizer(rate)
run = V1("reset", adam)
run.go([10, 20, 30])
run.go([35, 45], fresh=True)
done("reset", reset=["model.ckpt-35"], younger={"model.ckpt-35": 30, "model.ckpt-45": 30})

# The optimizer is created anew right at a save, and the next save finds the count of the save before.
run = V1("reset_same_count", adam)
run.go([10])
run.go([20, 30], fresh=True)
done("reset_same_count", reset=["model.ckpt-20"])

run = V1("reset_at_once", adam)
run.go([10, 20])
run.go([20, 30], fresh=True)
done("reset_at_once", reset=["model.ckpt-20"])

run = V1("warm", adam)
run.go([30])
run.go([40, 50], fresh=True)
for path in pathlib.Path("warm").glob("model.ckpt-30.*"):
    path.unlink()
done("warm", reset_before_first=["model.ckpt-40"])

run = V1("steady", adam)
run.go([10, 20, 30])
run.go([40, 50])
done("steady")

run = V1("back", adam)
run.go([10, 20, 30])
run.values = "./back/model.ckpt-20"
run.go([25])
done("back", back=["model.ckpt-25"])

run = V1("still", adam)
run.go([10, 20])
run.go([30], rate=0.0)
done("still", still=["model.ckpt-30"])

run = V1("frozen", adam, frozen=("body/kernel", "body/bias"))
run.go([10, 20, 30])
done("frozen", frozen=["body"])

# The optimizer counts nothing, and all of its slots are zero in a checkpoint that was saved before the first update.
run = V1("momentum", lambda rate: v1.train.MomentumOptimizer(rate, 0.9))
run.go([10, 20])
run.go([20, 30], fresh=True)
for path in pathlib.Path("momentum").glob("model.ckpt-20.*"):
    path.rename(str(path).replace("-20.", "-21."))
done("momentum", reset=["model.ckpt-21"])


def objects(k, name, parts, optimizers, counted=True, accumulate=1):
    """Saves of `tf.train.Checkpoint`, numbered by it; each part is (updates, what happens before)."""
    random = np.random.RandomState(2)
    make = lambda value, n: k.Variable(value, name=n) if k is keras else tf.Variable(value, name=n)
    variables = [make(random.normal(size=(4, 3)).astype("f"), "kernel"), make(random.normal(size=3).astype("f"), "bias")]
    module = tf.Module()
    module.kernel, module.bias = variables
    step = tf.Variable(0, dtype=tf.int64)
    made = {key: optimizer() for key, optimizer in optimizers.items()}
    if k is keras:
        for optimizer in made.values():
            optimizer.build(variables)
    more = {"step": step} if counted else {}
    checkpoint = tf.train.Checkpoint(model=module, **made, **more)
    manager = tf.train.CheckpointManager(checkpoint, name, max_to_keep=None)
    for updates, what in parts:
        if what == "anew":
            made = {key: optimizer() for key, optimizer in optimizers.items()}
            if k is keras:
                for optimizer in made.values():
                    optimizer.build(variables)
            checkpoint = tf.train.Checkpoint(model=module, **made, **more)
            counter = manager.checkpoint.save_counter
            checkpoint.save_counter.assign(counter)
            manager._checkpoint = checkpoint
        if isinstance(what, int):
            checkpoint.restore(manager.checkpoints[what])
            checkpoint.save_counter.assign(len(manager.checkpoints))
        for _ in range(updates):
            for optimizer in made.values():
                grads = [tf.constant(random.normal(size=v.shape).astype("f")) for v in variables]
                optimizer.apply_gradients(list(zip(grads, variables)))
            step.assign_add(1)
        manager.save()


for k, label in ((keras, "keras"), (tf_keras, "tf_keras")):
    o = k.optimizers
    objects(k, f"{label}_reset", [(10, ""), (10, ""), (5, "anew"), (10, "")], {"optimizer": lambda: o.Adam(0.01)})
    done(f"{label}_reset", reset=["ckpt-3"], younger={"ckpt-3": 20, "ckpt-4": 20})
    objects(k, f"{label}_reset_uncounted", [(10, ""), (10, ""), (10, "anew"), (10, "")],
            {"optimizer": lambda: o.Adam(0.01)}, counted=False)
    done(f"{label}_reset_uncounted", reset=["ckpt-3"])
    objects(k, f"{label}_back", [(10, ""), (10, ""), (10, ""), (5, 1)], {"optimizer": lambda: o.Adam(0.01)})
    done(f"{label}_back", back=["ckpt-4"])
    objects(k, f"{label}_two", [(10, ""), (10, ""), (10, "")],
            {"actor": lambda: o.Adam(0.01), "critic": lambda: o.RMSprop(0.01)})
    done(f"{label}_two")
objects(keras, "keras_accumulated", [(10, ""), (10, ""), (10, "")],
        {"optimizer": lambda: keras.optimizers.Adam(0.01, gradient_accumulation_steps=2)})
done("keras_accumulated")

with open("expected.json", "w") as file:
    json.dump({"tensorflow": tf.__version__, "runs": runs}, file, indent=1)
    file.write("\n")
