"""A TensorFlow Serving base directory: versions 1 and 17, a file, an unfinished export."""
import shutil
import pathlib, sys

HERE = pathlib.Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2]), str(HERE.parents[2] / "saved_model")]
import oracle

oracle.enter(__file__)
import half_plus

half_plus.save("served/1", b=1.0)
half_plus.save("served/17", b=17.0)
pathlib.Path("served/notes.txt").write_text("not a version\n")
shutil.copytree("served/17/variables", "served/tmp_18/variables")  # an export that stopped before saved_model.pb
docs = [oracle.saved_model(f"served/{version}") for version in (1, 17)]
oracle.write({**docs[1], "base": "served", "versions": [1, 17], "checkpoints": docs[:1]})
