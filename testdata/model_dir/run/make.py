"""A run with a frozen embedding, an incomplete checkpoint, NaN at the end, and the events of two sessions."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import numpy as np
import tensorflow as tf

oracle.enter(__file__)
v1 = tf.compat.v1

with tf.Graph().as_default():
    v1.set_random_seed(41)
    v1.disable_resource_variables()
    step = v1.train.get_or_create_global_step()
    embedding = v1.get_variable("embedding", [6, 4], trainable=False)
    with v1.variable_scope("dense"):
        kernel, bias = v1.get_variable("kernel", [4, 3]), v1.get_variable("bias", [3])
    loss = tf.reduce_mean(tf.square(tf.matmul(tf.gather(embedding, [1, 2]), kernel) + bias - 1.0))
    train = v1.train.AdamOptimizer(0.05).minimize(loss, global_step=step)
    v1.summary.scalar("loss", loss)
    merged, saver = v1.summary.merge_all(), v1.train.Saver()
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        writer = v1.summary.FileWriter(".", session.graph)
        for at in range(301):
            if at == 200:  # another session goes on
                writer.add_session_log(tf.compat.v1.SessionLog(status=tf.compat.v1.SessionLog.STOP), at)
                writer.close()
                writer = v1.summary.FileWriter(".", filename_suffix=".again")
            if at == 300:
                session.run(kernel.assign(np.full([4, 3], np.nan, np.float32)))
            if at % 100 == 0:
                saver.save(session, "./model.ckpt", global_step=at, write_meta_graph=False)
                writer.add_summary(session.run(merged), at)
            session.run(train)
        writer.close()

first, again = sorted(pathlib.Path(".").glob("events.out.tfevents.*"), key=lambda path: path.name.endswith(".again"))
first = first.rename("events.out.tfevents.1700000000.host")
again = again.rename("events.out.tfevents.1700000100.host.again")
events = [oracle.events(path) for path in (first, again)]
docs = ["model.ckpt-0", "model.ckpt-100", "model.ckpt-300"]
oracle.record_many(docs, latest_checkpoint=oracle.latest(), events=events)
pathlib.Path("model.ckpt-200.data-00000-of-00001").unlink()
