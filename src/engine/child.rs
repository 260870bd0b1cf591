//! The process of a job as seen by who asked for it: started, waited for, and ended when it takes too long. However it
//! ends, there is an answer or one text that says what happened.

use std::io::{ErrorKind, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use ckpt::read::storage::{Source, Window};

use super::job::{ANSWER, Answer, Job, Stage, send};
use super::work::HIDDEN;

/// Bytes of what the engine and the model print that are kept: the last ones.
const KEPT: usize = 64 << 10;

/// Lines of a message that are shown.
const LINES: usize = 12;

/// What a job may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Time.
    pub(crate) time: Duration,
    /// Bytes of memory, if limited.
    pub(crate) memory: Option<u64>,
}

/// A job that was done.
#[derive(Debug)]
pub(crate) struct Answered {
    /// How it went; no failure.
    pub(crate) answer: Answer,
    /// Lines that the model printed.
    pub(crate) printed: Vec<String>,
}

/// Runs a job in a process of its own; `payload` is what follows its header.
///
/// # Errors
/// Why there are no results, in one text.
pub(crate) fn run(job: &Job, payload: &[&[u8]], limits: Limits) -> Result<Answered, String> {
    let program = std::env::current_exe().map_err(|error| format!("this program cannot be found again: {error}"))?;
    let mut command = Command::new(program);
    command.arg(HIDDEN).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Of what the engine has to say, errors; whoever wants more says so.
    if std::env::var_os("TF_CPP_MIN_LOG_LEVEL").is_none() {
        command.env("TF_CPP_MIN_LOG_LEVEL", "2");
    }
    let mut child = command.spawn().map_err(|error| format!("no process for the engine: {error}"))?;
    let end = Instant::now() + limits.time;
    let (told, ends) = channel();
    if listen(child.stdout.take(), &told).and_then(|()| listen(child.stderr.take(), &told)).is_err() {
        let _ = child.kill();
        let _ = child.wait();
        return Err("the system has no thread left to listen to the process of the engine".to_owned());
    }
    drop(told);
    // Held open: its end tells the process that nobody waits any more.
    let mut stdin = child.stdin.take();
    let sent = stdin.as_mut().map_or(Ok(()), |stdin| send(job, payload, stdin));
    let mut printed = Vec::new();
    let status = wait(&mut child, &ends, end, &mut printed);
    drop(stdin);
    let answer = read(Path::new(&job.directory));
    match (status, answer) {
        (Ok(Some(status)), Some(answer)) if status.success() => finish(answer, &printed),
        (Ok(None), answer) => Err(too_long(answer.is_some(), limits.time)),
        (Ok(Some(status)), _) => match sent {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(format!("the job cannot be handed over: {error}"))
            }
            _ => Err(crashed(status, limits.memory, &printed)),
        },
        (Err(error), _) => Err(format!("the process of the engine cannot be waited for: {error}")),
    }
}

/// Collects the last of what a process prints, and hands it over when that is all.
fn listen(pipe: Option<impl Read + Send + 'static>, told: &Sender<Vec<u8>>) -> std::io::Result<()> {
    let (Some(mut pipe), told) = (pipe, told.clone()) else { return Ok(()) };
    let listener = std::thread::Builder::new().spawn(move || {
        let mut kept = Vec::new();
        let mut window = vec![0; 16 << 10];
        loop {
            match pipe.read(&mut window) {
                Ok(0) => break,
                Ok(n) => kept.extend_from_slice(window.get(..n).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
            if kept.len() > 2 * KEPT {
                kept.drain(..kept.len() - KEPT);
            }
        }
        let _ = told.send(kept);
    });
    listener.map(|_| ())
}

/// Waits for the end of a process; `None` if it did not come in time, and the process was ended.
fn wait(
    child: &mut Child,
    ends: &Receiver<Vec<u8>>,
    end: Instant,
    printed: &mut Vec<u8>,
) -> std::io::Result<Option<ExitStatus>> {
    let left = || end.saturating_duration_since(Instant::now());
    // Its pipes are closed when it ends. A process that it started may hold them, and so may be waited for in vain.
    while let Ok(text) = ends.recv_timeout(left()) {
        printed.extend(text);
    }
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if left().is_zero() {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn read(directory: &Path) -> Option<Answer> {
    let source = Source::contiguous(&directory.join(ANSWER)).ok()?;
    let mut scratch = Window::default();
    serde_json::from_slice(source.slice(0..source.len(), &mut scratch).ok()?).ok()
}

fn finish(answer: Answer, printed: &[u8]) -> Result<Answered, String> {
    let Some(failure) = &answer.failure else { return Ok(Answered { answer, printed: words(printed) }) };
    let what = match failure.stage {
        Stage::Engine => return Err(failure.message.clone()),
        Stage::Load => "cannot load the model",
        Stage::Graph => "does not find an input or an output",
        Stage::Run => "cannot run the model",
        Stage::Write => "has no results that can be kept",
    };
    Err(format!("TensorFlow {} {what}: {}", answer.version, short(&failure.message)))
}

fn too_long(is_answered: bool, time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if is_answered {
        return format!("the engine answered, but had not ended after {seconds} s, and was stopped");
    }
    format!("the model had no answer after {seconds} s, and was stopped; --timeout gives it more")
}

/// What the end of a process that left no answer means.
fn crashed(status: ExitStatus, memory: Option<u64>, printed: &[u8]) -> String {
    let mut told = "the engine ended without an answer".to_owned();
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let name = match signal {
            4 => " (SIGILL: the processor lacks an instruction that this TensorFlow needs)",
            6 => " (SIGABRT)",
            7 => " (SIGBUS)",
            8 => " (SIGFPE)",
            9 => " (SIGKILL: ended from outside, most often for want of memory)",
            11 => " (SIGSEGV)",
            _ => "",
        };
        told = format!("the engine crashed with signal {signal}{name}");
    } else if let Some(code) = status.code() {
        told = format!("the engine ended with status {code} and without an answer");
    }
    if let Some(memory) = memory {
        told = format!("{told}, with memory limited to {}", ckpt::report::size(memory));
    }
    let text = String::from_utf8_lossy(printed);
    let last: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty() && !is_preamble(line)).collect();
    match last.as_slice() {
        [] => told,
        [.., last] => format!("{told}; its last words: {}", one_line(last)),
    }
}

/// What the engine says whatever is done with it.
fn is_preamble(line: &str) -> bool {
    line.starts_with("WARNING: All log messages before absl")
}

/// A line of the engine's own log: `2026-01-31 12:00:00.000000: I tensorflow/…`, `I0000 00:00:1795888075.385988 …`.
fn is_log(line: &str) -> bool {
    let bytes = line.as_bytes();
    let dated = bytes.get(..5).is_some_and(|year| year.iter().take(4).all(u8::is_ascii_digit) && year[4] == b'-');
    let letter = bytes.first().is_some_and(|letter| b"IWEF".contains(letter));
    is_preamble(line)
        || (dated && line.contains(": ") && line.contains("] "))
        || (letter && bytes.get(1..5).is_some_and(|rest| rest.iter().all(u8::is_ascii_digit)) && line.contains("] "))
}

/// What the model printed, without what the engine logged.
fn words(printed: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(printed);
    text.lines().filter(|line| !line.trim().is_empty() && !is_log(line)).map(one_line).collect()
}

/// A message without what follows it for the developers of the engine.
fn short(message: &str) -> String {
    let message = message.trim_end();
    let lines: Vec<&str> = message.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let shown: Vec<String> = lines.iter().take(LINES).map(|line| one_line(line)).collect();
    let more = if lines.len() > LINES { format!(" … and {} more lines", lines.len() - LINES) } else { String::new() };
    format!("{}{more}", shown.join(" "))
}

/// A line, harmless for a terminal.
fn one_line(line: &str) -> String {
    ckpt::base::escape::escaped(line.trim_end().as_bytes()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_engine_logs_is_not_what_the_model_prints() {
        let log = [
            "2026-11-28 17:47:55.385988: I tensorflow/core/util/port.cc:153] oneDNN custom operations are on.",
            "I0000 00:00:1795888075.385988    8207 port.cc:153] oneDNN custom operations are on.",
            "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
        ];
        assert!(log.iter().all(|line| is_log(line)));
        let printed = ["loss: 0.5", "In the model", "[[1 2]]", "2026-11-28 was a day", "E123 is a number"];
        assert!(!printed.iter().any(|line| is_log(line)));
        let all = [log.join("\n"), printed.join("\n")].join("\n");
        assert_eq!(words(all.as_bytes()), printed);
    }

    #[test]
    fn long_messages_are_cut_and_control_characters_escaped() {
        let long = (0..40).map(|n| format!("line {n}")).collect::<Vec<_>>().join("\n");
        assert!(short(&long).ends_with("line 11 … and 28 more lines"));
        assert_eq!(one_line("a\u{1b}[31m"), ckpt::base::escape::escaped(b"a\x1b[31m"));
    }
}
