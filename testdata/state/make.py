"""Spellings of the `checkpoint` state file, and what tf.train.get_checkpoint_state makes of each."""
import math
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import oracle

import tensorflow as tf

oracle.enter(__file__)
P = b'model_checkpoint_path: '
A = b'all_model_checkpoint_paths: '
T = b'all_model_checkpoint_timestamps: '
CASES = {
    "plain": P + b'"ckpt-2"\n' + A + b'"ckpt-1"\n' + A + b'"ckpt-2"\n',
    "manager": P + b'"ckpt-4"\n' + A + b'"ckpt-3"\n' + A + b'"ckpt-4"\n' + T + b'1795195457.5\n' + T + b'1795195458.0211732\nlast_preserved_timestamp: 1795195457.0111537\n',
    "comments": b'# a comment\n' + P + b'"ckpt-1" # after a value\n#' + A + b'"ckpt-0"\n' + A + b'"ckpt-1"',
    "single_quotes": P + b"'ckpt-1'\n" + A + b"'it\"s'\n" + A + b"'ckpt-1'\n",
    "adjacent_literals": P + b'"ck" \'pt\'\n  "-1"\n',
    "list_syntax": P + b'"c"\nall_model_checkpoint_paths: ["a", \'b\' "b", "c"]\nall_model_checkpoint_timestamps: [1, 2.5e3, -3]\n',
    "empty_list": P + b'"c"\nall_model_checkpoint_paths: []\n',
    "list_trailing_comma": P + b'"c"\nall_model_checkpoint_paths: ["a",]\n',
    "separators": P + b'"c", ' + A + b'"a"; ' + A + b'"c" ; last_preserved_timestamp: 1,',
    "double_separator": P + b'"c",, ' + A + b'"a"',
    "one_line": P + b'"c" ' + A + b'"a" ' + A + b'"c"',
    "no_space": b'model_checkpoint_path:"c"all_model_checkpoint_paths:"a"',
    "no_colon": b'model_checkpoint_path "c"\n',
    "equals": b'model_checkpoint_path = "c"\n',
    "spread": b'model_checkpoint_path\n  :\n\t"c"\r\n',
    "crlf": P + b'"c"\r\n' + A + b'"a"\r\n',
    "escapes": P + rb'"n\nr\rt\ta\ab\bf\fv\vq\"s\'b\\?\?"' + b"\n",
    "octal": P + rb'"\303\251-\1-\12-\101\1012-\0"' + b"\n",
    "octal_not_utf8": P + rb'"\377\376"' + b"\n",
    "hex": P + rb'"\x41\xc3\xa9\x7-\X42"' + b"\n",
    "hex_long": P + rb'"\x414"' + b"\n",
    "unicode": P + rb'"\u00e9\u4e16\U0001F30D"' + b"\n",
    "unicode_surrogates": P + rb'"\ud83c\udf0d"' + b"\n",
    "unicode_short": P + rb'"\u00e"' + b"\n",
    "unknown_escape": P + rb'"a\qb"' + b"\n",
    "raw_utf8": P + '"größe/世界-1"\n'.encode(),
    "raw_latin1": P + b'"gr\xf6\xdfe"\n',
    "bom": b"\xef\xbb\xbf" + P + b'"c"\n',
    "nul": P + b'"a\x00b"\n',
    "repeated_singular": P + b'"a"\n' + P + b'"b"\n',
    "unknown_field": P + b'"c"\nnew_field: 3\n',
    "unknown_message": P + b'"c"\nnew_field { a: 1 }\n',
    "field_number": b'1: "c"\n',
    "extension": P + b'"c"\n[foo.bar]: 1\n',
    "braces": b'{ model_checkpoint_path: "c" }\n',
    "newline_in_string": P + b'"a\nb"\n',
    "unterminated": P + b'"a\n',
    "number_for_string": P + b'7\n',
    "string_for_number": P + b'"c"\n' + T + b'"1"\n',
    "case": b'Model_Checkpoint_Path: "c"\n',
    "absolute": P + b'"/data/old/run/ckpt-1"\n' + A + b'"/data/old/run/ckpt-1"\n',
    "windows": P + rb'"C:\\models\\run\\ckpt-1"' + b"\n",
    "pattern": P + b'"model.ckpt-9-?????-of-00002"\n',
    "dot": P + b'"./ckpt-1"\n' + A + b'"../x/ckpt-0"\n',
    "empty": b"",
    "only_comment": b"# nothing\n",
    "empty_path": P + b'""\n' + A + b'"a"\n',
    "no_path": A + b'"a"\n',
    "garbage": b"\x80\x02}q\x00(X\x05\x00\x00\x00stuff",
    "html": b"<!DOCTYPE html>\n<html></html>\n",
    "git_lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:0000\nsize 125\n",
    "json": b'{"model_checkpoint_path": "c"}\n',
}
for i, text in enumerate(("0", "-0.0", "7", "1.5f", "1.5F", "2f", "1e9", "1E-3", "1e+2", ".5", "7.", "-.5f", "+1", "-1", "- 2", "inf", "-inf", "INF", "infinity", "Infinityf",
                          "inff", "nan", "NaN", "-nan", "0x10", "010", "09", "00", "1_000", "1e999", "1e-400", "0.1", "123456789012345678901", "true", "1.0.0", "")):
    CASES[f"number_{i:02}"] = P + b'"c"\nlast_preserved_timestamp: ' + text.encode() + b"\n"


def number(value):
    return value if math.isfinite(value) else "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


results = {}
for name, content in CASES.items():
    pathlib.Path(name + ".txt").write_bytes(content)
    try:
        state = tf.train.get_checkpoint_state("", latest_filename=name + ".txt")
    except Exception as error:
        results[name] = {"error": type(error).__name__, "message": str(error)}
        continue
    results[name] = "ignored" if state is None else {
        "model_checkpoint_path": state.model_checkpoint_path,
        "all_model_checkpoint_paths": list(state.all_model_checkpoint_paths),
        "all_model_checkpoint_timestamps": [number(t) for t in state.all_model_checkpoint_timestamps],
        "last_preserved_timestamp": number(state.last_preserved_timestamp),
    }
oracle.write({"tensorflow": tf.__version__, "states": results})
