"""A TF2 SavedModel whose saved_model.pb was rewritten as saved_model.pbtxt."""
import pathlib, sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[i]) for i in (1, 2)]
import oracle

oracle.enter(__file__)
import half_plus
from google.protobuf import text_format
from tensorflow.core.protobuf import saved_model_pb2

half_plus.save("model")
binary = pathlib.Path("model/saved_model.pb")
model = saved_model_pb2.SavedModel.FromString(binary.read_bytes())
binary.unlink()
pathlib.Path("model/saved_model.pbtxt").write_text(text_format.MessageToString(model), encoding="utf-8")
oracle.write(oracle.saved_model("model"))
