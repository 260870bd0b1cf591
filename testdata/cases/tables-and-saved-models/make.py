"""Tables whose values have another width, and tables of a SavedModel. Says what TensorFlow does with each."""
import os, shutil, glob, json
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.chdir(os.path.dirname(os.path.abspath(__file__)))
for name in glob.glob("*/"):
    shutil.rmtree(name)
import numpy as np
import tensorflow as tf

lookup = tf.lookup.experimental


def table(rows, width):
    made = lookup.MutableHashTable(tf.string, tf.float32, [0.0] * width)
    made.insert([f"k{i}" for i in range(rows)], np.ones((rows, width), "f"))
    return made


said = {}


def tried(name, objects, path):
    try:
        tf.train.Checkpoint(**objects).read(path).assert_consumed()
        said[name] = "restores"
    except Exception as error:
        said[name] = f"{type(error).__name__}: {error.message.split('} ')[-1].split(' [Op')[0]}"


tf.train.Checkpoint(t=table(3, 4)).write("four/ckpt")
for width in (4, 5):
    other = table(9, width)
    tf.train.Checkpoint(t=other).write(f"model-{width}/ckpt")
    tried(f"width {width}", {"t": other}, "four/ckpt")

model = tf.Module()
model.t, model.w = table(3, 4), tf.Variable(np.ones(2, "f"))
tf.saved_model.save(model, "saved")
os.rmdir("saved/assets")
model.t.insert(["more"], [[1.0] * 4])
tf.train.Checkpoint(t=model.t, w=model.w).write("later/ckpt")
loaded = tf.saved_model.load("saved")
tried("saved model", {"t": loaded.t, "w": loaded.w}, "later/ckpt")
with open("expected.json", "w") as file:
    json.dump(said, file, indent=1)
