"""Steps that a program counts under a name of its own, and numbers that are no steps."""
import os, shutil, glob
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.chdir(os.path.dirname(os.path.abspath(__file__)))
for name in glob.glob("*/"):
    shutil.rmtree(name)
import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
w = tf.Variable(np.arange(12, dtype="f").reshape(3, 4), name="w")


def number(value, dtype=tf.int64):
    return tf.Variable(value, dtype=dtype)


def saved(directory, saves=1, **objects):
    manager = tf.train.CheckpointManager(tf.train.Checkpoint(w=w, **objects), directory, 1)
    for _ in range(saves):
        manager.save()


saved("it", 4, it=number(10000))
saved("epoch-and-batch", 2, epoch=number(3), batch=number(250))
saved("vocabulary", 1, vocab_size=number(32000))
tf.train.Checkpoint(w=w, n_iter=number(7700), seed=number(42)).write("n-iter/ckpt-7700")


def named(path, step, **variables):
    os.makedirs(os.path.dirname(path))
    with tf.Graph().as_default(), v1.Session() as session:
        for name, value in variables.items():
            v1.get_variable(name.replace("__", "/"), initializer=tf.constant(value))
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, path, global_step=step)


kernel = np.ones((2, 2), "f")
named("default-name/model.ckpt", 900, Variable=np.int32(900), fc__w=kernel)
named("epoch/model.ckpt", 10, epoch=np.int32(10), fc__w=kernel)
named("two-scopes/model.ckpt", 6, a__global_step=np.int64(5), b__global_step=np.int64(6), fc__w=kernel)
for path in glob.glob("*/checkpoint"):
    os.remove(path)
