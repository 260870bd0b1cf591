"""Runs whose learning rate is bounded by other slots than squares of gradients, and graphs that say numbers of optimizers."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import SAVES, WEIGHTS, Run, oracle, write

import tensorflow as tf
import keras
import tf_keras

oracle.enter(__file__)
v1 = tf.compat.v1
train = v1.train
RATE = 0.01
runs = []


def saver(name, make, seed, saves=SAVES, meta=True):
    truth = Run(seed)
    with tf.Graph().as_default(), v1.Session() as session:
        variables = [v1.get_variable(weight, initializer=v1.constant_initializer(value), shape=value.shape)
                     for (weight, *_), value in zip(WEIGHTS, truth.initial())]
        fed = [v1.placeholder(tf.float32, v.shape) for v in variables]
        step = train.get_or_create_global_step()
        apply = make().apply_gradients(list(zip(fed, variables)), global_step=step)
        session.run(v1.global_variables_initializer())
        keeper = train.Saver(max_to_keep=None)
        for until in saves:
            while truth.step < until:
                session.run(apply, dict(zip(fed, truth.gradients())))
            keeper.save(session, f"./{name}/model.ckpt", until, write_meta_graph=meta)
            truth.save(f"{name}/model.ckpt-{until}", session.run(variables))
    runs.append({"directory": name, "learning_rate": RATE, "checkpoints": truth.truth})


def objects(name, optimizer, seed, k, saves=SAVES):
    truth = Run(seed)
    make = keras.Variable if k is keras else tf.Variable
    variables = [make(value, name=weight) for (weight, *_), value in zip(WEIGHTS, truth.initial())]
    module = tf.Module()
    for variable, (weight, *_) in zip(variables, WEIGHTS):
        setattr(module, weight, variable)
    if k is keras:
        optimizer.build(variables)
    checkpoint = tf.train.Checkpoint(model=module, optimizer=optimizer)
    for until in saves:
        while truth.step < until:
            optimizer.apply_gradients(list(zip([tf.constant(g) for g in truth.gradients()], variables)))
        checkpoint.write(f"./{name}/ckpt-{until}")
        truth.save(f"{name}/ckpt-{until}", [v.numpy() for v in variables])
    runs.append({"directory": name, "learning_rate": RATE, "checkpoints": truth.truth})


saver("rmsprop", lambda: train.RMSPropOptimizer(RATE, decay=0.8), 41)
saver("rmsprop_momentum", lambda: train.RMSPropOptimizer(RATE, momentum=0.5), 42)
saver("rmsprop_unsaid", lambda: train.RMSPropOptimizer(RATE, momentum=0.5), 42, meta=False)
saver("rmsprop_centered", lambda: train.RMSPropOptimizer(RATE, centered=True, epsilon=1e-3), 43)
saver("momentum", lambda: train.MomentumOptimizer(RATE, 0.7), 44, saves=(20, 21))
saver("nesterov", lambda: train.MomentumOptimizer(RATE, 0.7, use_nesterov=True), 45, saves=(20, 21))
saver("nesterov_unsaid", lambda: train.MomentumOptimizer(RATE, 0.7, use_nesterov=True), 45, saves=(20, 21), meta=False)
saver("adagrad", lambda: train.AdagradOptimizer(RATE), 46)
saver("ftrl", lambda: train.FtrlOptimizer(RATE, l1_regularization_strength=0.01, l2_regularization_strength=0.1), 47)
objects("keras_adamax", keras.optimizers.Adamax(RATE), 51, keras)
objects("tf_keras_adamax", tf_keras.optimizers.Adamax(RATE), 52, tf_keras)
objects("legacy_adamax", tf_keras.optimizers.legacy.Adamax(RATE), 53, tf_keras)
objects("keras_lamb", keras.optimizers.Lamb(RATE), 54, keras)
objects("keras_lion", keras.optimizers.Lion(RATE, weight_decay=0.5), 55, keras)
objects("legacy_rmsprop", tf_keras.optimizers.legacy.RMSprop(RATE, momentum=0.5), 56, tf_keras)
objects("keras_ftrl", keras.optimizers.Ftrl(RATE, l2_regularization_strength=0.05, beta=0.1), 57, keras)
objects("keras_adafactor", keras.optimizers.Adafactor(RATE), 58, keras, saves=(20, 120, 121))
objects("keras_adadelta", keras.optimizers.Adadelta(RATE), 59, keras, saves=(20, 120, 121))
write(runs)
