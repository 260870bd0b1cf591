"""A plain TF1 Saver: one shard, resource variables, Momentum slots."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import tensorflow as tf

oracle.enter(__file__)
v1 = tf.compat.v1

with tf.Graph().as_default():
    v1.set_random_seed(12)
    v1.enable_resource_variables()
    step = v1.train.get_or_create_global_step()
    kernel = v1.get_variable("layer/kernel", [4, 2])
    bias = v1.get_variable("layer/bias", [2], initializer=v1.zeros_initializer())
    loss = tf.reduce_sum((tf.matmul(tf.ones([1, 4]), kernel) + bias - 1.0) ** 2)
    train = v1.train.MomentumOptimizer(0.05, 0.9).minimize(loss, global_step=step)
    saver = v1.train.Saver()
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        for _ in range(7):
            session.run(train)
        saver.save(session, "./model.ckpt", global_step=step)

oracle.record("model.ckpt-7", latest_checkpoint=oracle.latest())
