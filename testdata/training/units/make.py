"""Runs in which units die: from one save on, indexes of the last axis of a kernel get no gradient any more.

Unit 4 of `hidden_kernel` never gets one, unit 2 none after step 20, unit 0 none after step 40; of `out_kernel` none dies.
"""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import common
from common import WEIGHTS, Run, oracle

import tensorflow as tf
import keras
import tf_keras

oracle.enter(__file__)
v1 = tf.compat.v1
RATE = 0.01
SAVES = (20, 40, 60)
DEAD = {20: [4], 40: [2, 4], 60: [0, 2, 4]}
runs = []


class Dying(Run):
    def gradients(self):
        drawn = super().gradients()
        until = min(save for save in SAVES if self.step <= save)
        for (name, *_), g in zip(WEIGHTS, drawn):
            if name.startswith("hidden"):
                g[..., DEAD[until]] = 0
        return drawn


def note(name, frozen=()):
    runs.append({
        "directory": name,
        "checkpoints": [{"dead": {"hidden_kernel": len(DEAD[save])}, "frozen": list(frozen) if save == 60 else []}
                        for save in SAVES],
    })


def objects(name, optimizer, seed, k, frozen=()):
    truth = Dying(seed)
    make = keras.Variable if k is keras else tf.Variable
    variables = [make(value, name=weight) for (weight, *_), value in zip(WEIGHTS, truth.initial())]
    module = tf.Module()
    for variable, (weight, *_) in zip(variables, WEIGHTS):
        setattr(module, weight, variable)
    optimizer.build(variables)
    checkpoint = tf.train.Checkpoint(model=module, optimizer=optimizer)
    for until in SAVES:
        while truth.step < until:
            given = list(zip([tf.constant(g) for g in truth.gradients()], variables))
            # Behind step 40 what is frozen is not given to the optimizer any more.
            optimizer.apply_gradients([(g, v) for g, v in given if truth.step <= 40 or v.name.split(":")[0] not in frozen])
        checkpoint.write(f"./{name}/ckpt-{until}")
    note(name, frozen)


def saver(name, make, seed):
    truth = Dying(seed)
    with tf.Graph().as_default(), v1.Session() as session:
        variables = [v1.get_variable(weight, initializer=value) for (weight, *_), value in zip(WEIGHTS, truth.initial())]
        step = v1.train.get_or_create_global_step()
        given = [v1.placeholder(tf.float32, v.shape) for v in variables]
        apply = make(RATE).apply_gradients(list(zip(given, variables)), global_step=step)
        session.run(v1.global_variables_initializer())
        saver = v1.train.Saver(max_to_keep=100)
        for until in SAVES:
            while truth.step < until:
                session.run(apply, dict(zip(given, truth.gradients())))
            saver.save(session, f"./{name}/model.ckpt", until, write_meta_graph=False, write_state=False)
    note(name)


o = keras.optimizers
objects("keras_adam", o.Adam(RATE), 41, keras)
objects("keras_frozen", o.Adam(RATE), 42, keras, frozen=("out_kernel",))
objects("keras_adadelta", o.Adadelta(RATE), 43, keras)
objects("tf_keras_rmsprop", tf_keras.optimizers.RMSprop(RATE), 44, tf_keras)
objects("tf_keras_nadam", tf_keras.optimizers.Nadam(RATE), 45, tf_keras)
saver("adam", v1.train.AdamOptimizer, 46)
saver("adagrad", v1.train.AdagradOptimizer, 47)
saver("rmsprop", v1.train.RMSPropOptimizer, 48)
saver("ftrl", v1.train.FtrlOptimizer, 49)
common.json.dump({"tensorflow": tf.__version__, "runs": runs}, open("expected.json", "w"))
open("expected.json", "a").write("\n")
