"""Runs of every optimizer of tf.compat.v1 whose slots say something of gradients, saved by a Saver."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import SAVES, WEIGHTS, Run, oracle, write

import tensorflow as tf

oracle.enter(__file__)
v1 = tf.compat.v1
train = v1.train
RATE = 0.01
runs = []


def run(name, make, seed, saves=SAVES, sparse=False):
    truth = Run(seed)
    with tf.Graph().as_default(), v1.Session() as session:
        variables = [
            v1.get_variable(weight, initializer=value)
            for (weight, *_), value in zip(WEIGHTS, truth.initial())
        ]
        fed = [v1.placeholder(tf.float32, v.shape) for v in variables]
        given = [tf.IndexedSlices(tf.gather(g, [0, 2, 3, 5]), [0, 2, 3, 5], g.shape) if sparse and n == 0 else g
                 for n, g in enumerate(fed)]
        step = train.get_or_create_global_step()
        apply = make().apply_gradients(list(zip(given, variables)), global_step=step)
        session.run(v1.global_variables_initializer())
        saver = train.Saver(max_to_keep=None)
        for until in saves:
            while truth.step < until:
                session.run(apply, dict(zip(fed, truth.gradients())))
            saver.save(session, f"./{name}/model.ckpt", until, write_meta_graph=False)
            truth.save(f"{name}/model.ckpt-{until}", session.run(variables))
    runs.append({"directory": name, "learning_rate": RATE, "checkpoints": truth.truth})


run("adam", lambda: train.AdamOptimizer(RATE), 1)
run("adam_betas", lambda: train.AdamOptimizer(RATE, beta1=0.8, beta2=0.98), 2)
run("adam_sparse", lambda: train.AdamOptimizer(RATE), 3, sparse=True)
run("rmsprop", lambda: train.RMSPropOptimizer(RATE), 4)
run("rmsprop_centered", lambda: train.RMSPropOptimizer(RATE, centered=True), 5)
run("adagrad", lambda: train.AdagradOptimizer(RATE), 6)
run("adadelta", lambda: train.AdadeltaOptimizer(RATE, rho=0.95), 7)
run("ftrl", lambda: train.FtrlOptimizer(RATE), 8)
run("momentum", lambda: train.MomentumOptimizer(RATE, 0.9), 9, saves=(20, 21))
run("sgd", lambda: train.GradientDescentOptimizer(RATE), 10)
write(runs)
