"""A sharded TF1 Saver: two devices, partitioned variables, Adam slots, a moving average."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import tensorflow as tf

oracle.enter(__file__)
v1 = tf.compat.v1

with tf.Graph().as_default():
    v1.set_random_seed(11)
    v1.disable_resource_variables()
    step = v1.train.get_or_create_global_step()
    with tf.device("/cpu:0"):
        rows = v1.get_variable("embedding", [8, 3], partitioner=v1.fixed_size_partitioner(3, axis=0))
        v1.get_variable("comment", initializer=tf.constant([b"first", b"", b"\xff\xfe"]), trainable=False)
    with tf.device("/cpu:1"):
        columns = v1.get_variable("dense/kernel", [3, 5], partitioner=v1.fixed_size_partitioner(2, axis=1))
        bias = v1.get_variable("dense/bias", [5], initializer=v1.ones_initializer())
    loss = tf.reduce_sum(tf.matmul(rows, columns) ** 2) + tf.reduce_sum(bias ** 2)
    train = v1.train.AdamOptimizer(0.1).minimize(loss, global_step=step)
    average = tf.train.ExponentialMovingAverage(0.9).apply([bias])
    saver = v1.train.Saver(sharded=True)
    with v1.Session(config=v1.ConfigProto(device_count={"CPU": 2}, intra_op_parallelism_threads=1)) as session:
        session.run(v1.variables_initializer([bias]))  # the average starts from it
        session.run(v1.global_variables_initializer())
        saver.save(session, "./model.ckpt", global_step=step)
        for _ in range(3):
            session.run(train)
            session.run(average)
        session.run(step.assign(200))
        saver.save(session, "./model.ckpt", global_step=step)

oracle.record_many(["model.ckpt-0", "model.ckpt-200"], latest_checkpoint=oracle.latest())
