"""The directory of a MonitoredTrainingSession: state file, graph.pbtxt, events, two checkpoints."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import tensorflow as tf

oracle.enter(__file__)
v1 = tf.compat.v1

with tf.Graph().as_default():
    v1.set_random_seed(14)
    v1.disable_resource_variables()
    step = v1.train.get_or_create_global_step()
    w = v1.get_variable("w", [2], initializer=v1.ones_initializer())
    train = v1.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_sum(w ** 2), global_step=step)
    v1.summary.scalar("first", w[0])
    with v1.train.MonitoredTrainingSession(checkpoint_dir=".", save_checkpoint_steps=10, save_checkpoint_secs=None,
                                           save_summaries_steps=5, save_summaries_secs=None, log_step_count_steps=None) as session:
        for _ in range(10):
            session.run(train)

events, = pathlib.Path(".").glob("events.out.tfevents.*")
events.rename("events.out.tfevents.1700000000.host")  # no host name in the tree
oracle.record_many(["model.ckpt-0", "model.ckpt-10"], latest_checkpoint=oracle.latest())
