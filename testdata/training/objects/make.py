"""Runs of the optimizers of Keras 3, tf_keras and its legacy ones whose slots say something of gradients."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import SAVES, WEIGHTS, Run, oracle, write

import tensorflow as tf
import keras
import tf_keras

oracle.enter(__file__)
RATE = 0.01
runs = []


def run(name, optimizer, seed, k, saves=SAVES):
    truth = Run(seed)
    values = truth.initial()
    if k is keras:
        variables = [keras.Variable(value, name=weight) for (weight, *_), value in zip(WEIGHTS, values)]
        module = tf.Module()
        for variable, (weight, *_) in zip(variables, WEIGHTS):
            setattr(module, weight, variable)
        optimizer.build(variables)
    else:
        variables = [tf.Variable(value, name=weight) for (weight, *_), value in zip(WEIGHTS, values)]
        module = tf.Module()
        for variable, (weight, *_) in zip(variables, WEIGHTS):
            setattr(module, weight, variable)
    checkpoint = tf.train.Checkpoint(model=module, optimizer=optimizer)
    for until in saves:
        while truth.step < until:
            optimizer.apply_gradients(list(zip([tf.constant(g) for g in truth.gradients()], variables)))
        checkpoint.write(f"./{name}/ckpt-{until}")
        truth.save(f"{name}/ckpt-{until}", [v.numpy() for v in variables])
    runs.append({"directory": name, "learning_rate": RATE, "checkpoints": truth.truth})


for k, label in ((keras, "keras"), (tf_keras, "tf_keras")):
    o = k.optimizers
    run(f"{label}_adam", o.Adam(RATE), 11, k)
    run(f"{label}_adam_amsgrad", o.Adam(RATE, beta_2=0.99, amsgrad=True), 12, k, saves=(200, 400, 800))
    run(f"{label}_adamw", o.AdamW(RATE, weight_decay=0.01), 13, k)
    run(f"{label}_nadam", o.Nadam(RATE), 14, k)
    run(f"{label}_rmsprop", o.RMSprop(RATE), 15, k)
    run(f"{label}_rmsprop_full", o.RMSprop(RATE, momentum=0.9, centered=True), 16, k)
    run(f"{label}_adagrad", o.Adagrad(RATE), 17, k)
    run(f"{label}_adadelta", o.Adadelta(RATE), 18, k)
    run(f"{label}_adafactor", o.Adafactor(RATE), 19, k)
    run(f"{label}_ftrl", o.Ftrl(RATE), 20, k)
    run(f"{label}_momentum", o.SGD(RATE, momentum=0.9), 21, k, saves=(20, 21))
    run(f"{label}_sgd", o.SGD(RATE), 22, k)
    run(f"{label}_lion", o.Lion(RATE), 23, k)
old = tf_keras.optimizers.legacy
run("legacy_adam", old.Adam(RATE), 31, tf_keras)
run("legacy_nadam", old.Nadam(RATE), 32, tf_keras)
run("legacy_rmsprop", old.RMSprop(RATE, centered=True), 33, tf_keras)
run("legacy_adagrad", old.Adagrad(RATE), 34, tf_keras)
run("legacy_momentum", old.SGD(RATE, momentum=0.9), 35, tf_keras, saves=(20, 21))
write(runs)
