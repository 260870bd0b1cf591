"""Slots of a partitioned variable under a variable scope: each is a full shape of which one slice is stored."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import tensorflow as tf

oracle.enter(__file__)
v1 = tf.compat.v1

with tf.Graph().as_default():
    v1.set_random_seed(13)
    v1.disable_resource_variables()
    rows = v1.get_variable("embedding", [8, 3], partitioner=v1.fixed_size_partitioner(3, axis=0))
    with v1.variable_scope("training"):  # makes TensorFlow cut the slots' names wrongly: embedding/g/part_0/Adagrad
        train = v1.train.AdagradOptimizer(0.1).minimize(tf.reduce_sum(tf.convert_to_tensor(rows) ** 2))
    slices = {v._save_slice_info.full_name: v._save_slice_info for v in v1.global_variables()}
    saver = v1.train.Saver()
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        session.run(train)
        saver.save(session, "./model.ckpt", global_step=1, write_meta_graph=False)

doc = oracle.document("model.ckpt-1", latest_checkpoint=oracle.latest())
for record in doc["tensors"]:
    if "unreadable" in record:  # TensorFlow reads the one slice, never the whole
        info = slices[record["name"]]
        value = oracle.restore("model.ckpt-1", record["name"], tf.float32, info.spec).numpy()
        record["slices"] = [{"start": info.var_offset, "shape": info.var_shape, "raw": oracle.b64(value.tobytes())}]
oracle.write(doc)
