//! Messages that TensorFlow, Keras and their like really raised, each from a planted cause: `testdata/explain/messages`.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use ckpt::analysis::explain::{Diagnosis, Known, explain_error};
use serde_json::Value;

fn read(file: &str) -> Value {
    let path = format!("{}/testdata/explain/messages/{file}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Name, message, cause, and facts that an answer must quote.
fn cases() -> Vec<(String, String, String, Vec<String>)> {
    let (messages, expected) = (read("messages.json"), read("expected.json"));
    let messages = messages["messages"].as_object().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let cases: Vec<_> = messages
        .iter()
        .map(|(name, message)| {
            let case = &expected["cases"][name];
            let must = case["must"].as_array().unwrap().iter().map(text).collect();
            (name.clone(), text(message), text(&case["cause"]), must)
        })
        .collect();
    assert!(cases.len() > 140, "{}", cases.len());
    cases
}

fn words(diagnosis: &Diagnosis) -> String {
    let lists = [&diagnosis.meaning, &diagnosis.likely, &diagnosis.next, &diagnosis.certainty];
    let lines: Vec<&str> = lists.into_iter().flatten().map(String::as_str).collect();
    format!("{}\n{}", diagnosis.headline, lines.join("\n"))
}

#[test]
fn what_programs_said_is_answered_with_the_planted_cause_and_its_facts() {
    let mut wrong = Vec::new();
    for (name, message, cause, must) in cases() {
        let Some(diagnosis) = explain_error(&message) else {
            wrong.push(format!("{name}: not recognised"));
            continue;
        };
        if diagnosis.cause != cause {
            wrong.push(format!("{name}: {} instead of {cause}: {}", diagnosis.cause, diagnosis.headline));
        }
        let known = Known::of(&diagnosis);
        let words = words(&diagnosis.clone().filled(&known));
        for fact in must.iter().filter(|fact| !words.contains(*fact)) {
            wrong.push(format!("{name}: {fact:?} is not quoted: {}", diagnosis.headline));
        }
    }
    assert!(wrong.is_empty(), "{} of them\n{}", wrong.len(), wrong.join("\n"));
}

/// A message as it arrives from elsewhere: each line through `line`, and all of it through `all`.
fn forms(message: &str) -> BTreeMap<&'static str, String> {
    let each = |line: &dyn Fn(&str) -> String| message.lines().map(line).collect::<Vec<_>>().join("\n");
    let log = "2026-01-02 03:04:05.678901: W tensorflow/core/framework/op_kernel.cc:1842] OP_REQUIRES failed at save_restore_v2_ops.cc:233 : ";
    let frames = "Traceback (most recent call last):\n  File \"/app/train.py\", line 12, in <module>\n    raise ValueError(\"Can't load save_path when it is None.\")\n";
    let notebook = "---------------------------------------------------------------------------\nError                     Traceback (most recent call last)\nCell In[3], line 2\n      1 import tensorflow as tf\n----> 2 restore()\n\nFile ~/lib/saver.py:1417, in Saver.restore(self, sess, save_path)\n   1415     if save_path is None:\n   1416       raise ValueError(\"Can't load save_path when it is None.\")\n-> 1417     raise err\n\n";
    let coloured = each(&|line| match line.split_once(' ') {
        Some((first, rest)) => format!("\x1b[0;31m{first}\x1b[0m {rest}"),
        None => line.to_owned(),
    });
    BTreeMap::from([
        ("plain", message.to_owned()),
        ("windows", message.replace('\n', "\r\n")),
        ("log", format!("{log}{message}")),
        ("kubernetes", each(&|line| format!("2026-01-02T03:04:05.000000000Z stderr F {line}"))),
        ("compose", each(&|line| format!("trainer_1  | {line}"))),
        ("mpi", each(&|line| format!("[1,3]<stderr>:{line}"))),
        (
            "pytest",
            format!(
                "    def test():\n        raise ValueError(\"Can't load save_path when it is None.\")\n>       f()\n{}\nx.py:3: Error",
                each(&|line| format!("E       {line}"))
            ),
        ),
        ("traceback", format!("{frames}{message}\n")),
        ("notebook", format!("{notebook}{coloured}")),
        (
            "exit",
            format!(
                "{message}\n\nDuring handling of the above exception, another exception occurred:\n\n{frames}SystemExit: 1"
            ),
        ),
        ("web", message.replace('\'', "\u{2019}")),
    ])
}

#[test]
fn the_same_message_has_the_same_answer_however_it_arrives() {
    let mut wrong = Vec::new();
    for (name, message, _, _) in cases() {
        let Some(plain) = explain_error(&message) else { continue };
        for (form, text) in forms(&message) {
            let found = explain_error(&text);
            let same =
                found.as_ref().is_some_and(|found| (found.cause, &found.headline) == (plain.cause, &plain.headline));
            if !same {
                let found = found.map(|found| found.headline);
                wrong.push(format!("{name}, {form}: {found:?} instead of {:?}", plain.headline));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of them\n{}", wrong.len(), wrong.join("\n"));
}

const KEY: &str = "NotFoundError: Key dense/kernel not found in checkpoint\n";

/// So many bytes of what training prints, a line each.
fn log_of(bytes: usize) -> String {
    let line = "I0102 03:04:05.678901 140 basic_session_run_hooks.py:262] loss = 0.123, step = 100 (1.2 sec)\n";
    line.repeat(bytes / line.len())
}

#[test]
fn a_log_is_answered_wherever_the_error_stands_at_its_ends() {
    let log = log_of(3 << 20);
    for text in [format!("{log}{KEY}"), format!("{KEY}{log}")] {
        assert_eq!(explain_error(&text).map(|diagnosis| diagnosis.cause), Some("restore-missing"));
    }
    // What only follows from another error is not the answer, however far away that is.
    let other = "FailedPreconditionError: Attempting to use uninitialized value dense/bias\n";
    let said = explain_error(&format!("{KEY}{log}{other}")).unwrap();
    assert!(said.headline.contains("dense/kernel"), "{}", said.headline);
    assert!(explain_error(&format!("{log}{KEY}{log}")).is_none());
}

#[test]
fn what_never_ends_takes_no_time_for_each_of_its_bytes() {
    for text in ["\x1b]", "\x1b[", "[", "Exit\n"] {
        // Would not end within the hour, if each looked at all that follows.
        assert!(explain_error(&text.repeat((2 << 20) / text.len())).is_none());
    }
}

#[test]
fn of_a_long_standard_input_it_is_said_what_was_not_looked_at() {
    let explained = |input: &[u8]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ckpt"));
        command.args(["explain", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let log = log_of(5 << 20);
    let (status, stdout, stderr) = explained(format!("{log}{KEY}").as_bytes());
    assert_eq!(status, Some(0));
    assert!(stdout.contains("dense/kernel"), "{stdout}");
    assert!(
        stderr.contains("the first and the last 1.00 MiB of standard input are looked at, the 3.00 MiB"),
        "{stderr}"
    );
    let (status, _, stderr) = explained(format!("{}{KEY}", log_of(1 << 20)).as_bytes());
    assert_eq!((status, stderr.as_str()), (Some(0), ""));
    // Another encoding is not longer for what cannot be read of it.
    let line = [b"caf\xe9 ".as_slice(); 100].concat();
    let half = [line.as_slice(), b"\n"].concat().repeat(1800);
    let (status, ..) = explained(&[&half, KEY.as_bytes(), &half].concat());
    assert_eq!(status, Some(0));
}
