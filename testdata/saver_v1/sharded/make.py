"""A V1 checkpoint in two shards: the state file records a pattern."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import tensorflow as tf

oracle.enter(__file__)
v1 = tf.compat.v1

with tf.Graph().as_default():
    v1.set_random_seed(32)
    v1.disable_resource_variables()
    step = v1.train.get_or_create_global_step()
    with tf.device("/cpu:0"):
        v1.get_variable("a", initializer=tf.constant([[1.0, -2.0], [3.5, -4.5]]))
        v1.get_variable("rows", [6, 2], partitioner=v1.fixed_size_partitioner(2, axis=0))
    with tf.device("/cpu:1"):
        v1.get_variable("b", initializer=tf.constant([-1, -2, -3], tf.int64), trainable=False)
        v1.get_variable("columns", [3, 4], tf.float64, partitioner=v1.fixed_size_partitioner(2, axis=1))
    saver = v1.train.Saver(write_version=v1.train.SaverDef.V1, sharded=True)
    with v1.Session(config=v1.ConfigProto(device_count={"CPU": 2})) as session:
        session.run(v1.global_variables_initializer())
        session.run(step.assign(9))
        path = saver.save(session, "./model.ckpt", global_step=step)

oracle.record(path.removeprefix("./"), latest_checkpoint=oracle.latest())
