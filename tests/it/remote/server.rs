//! A server on loopback that keeps objects in memory: a web server, S3 (`/bucket/…` with `?list-type=2`) and Google's XML
//! interface, which speaks the same. It counts what it is asked, and does wrong what a test wants it to.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ckpt::read::wire::Crc32c;

/// One request, as it came.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// With its query.
    pub(super) path: String,
    /// Names in lower case.
    pub(super) headers: BTreeMap<String, String>,
    /// Bytes of the body that were sent.
    pub(super) sent: u64,
}

impl Asked {
    pub(super) fn is_list(&self) -> bool {
        self.path.contains("list-type=2")
    }
}

/// What the server does wrong, for names that contain `of`, so many times.
#[derive(Clone, Debug)]
pub(super) struct Wrong {
    pub(super) of: String,
    /// So many requests go well before.
    pub(super) skip: usize,
    pub(super) times: usize,
    pub(super) how: How,
}

#[derive(Clone, Debug)]
pub(super) enum How {
    /// Answers with this status and body.
    Status(u16, String),
    /// With this status, and a header.
    StatusWith(u16, (&'static str, String), String),
    /// Breaks the connection after half of the body.
    Cut,
    /// Sends the bytes of another range than asked for.
    OtherRange,
    /// Ignores that a range was asked for.
    Whole,
    /// Has another version of the object from now on.
    Replaced,
    /// Waits before it answers.
    Slow(Duration),
    /// Leads to another place, which begins so and goes on as what was asked for does.
    Redirect(String),
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, (Arc<[u8]>, String)>,
    wrongs: Vec<Wrong>,
    asked: Vec<Asked>,
    /// How many wait for their answers, and how many have waited at once.
    waiting: (usize, usize),
    /// Answers only for so many names at once.
    page: usize,
}

/// A running server; it ends with the test.
pub(super) struct Server {
    port: u16,
    state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
}

impl Server {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State { page: 1000, ..State::default() }));
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, stopped) = (Arc::clone(&state), Arc::clone(&stop));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream.unwrap(), &shared));
            }
        });
        Self { port, state, stop }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// `http://127.0.0.1:port`
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Keeps an object: `bucket/name`.
    pub(super) fn put(&self, name: &str, bytes: impl Into<Arc<[u8]>>) {
        let bytes = bytes.into();
        let tag = format!("\"{}-{}\"", bytes.len(), self.state().objects.len());
        self.state().objects.insert(name.to_owned(), (bytes, tag));
    }

    /// Keeps all files below a directory of the disk.
    pub(super) fn put_all(&self, at: &str, dir: &Path) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{at}/{}", path.file_name().unwrap().to_str().unwrap());
            if path.is_dir() {
                self.put_all(&name, &path);
            } else {
                self.put(&name, std::fs::read(&path).unwrap());
            }
        }
    }

    pub(super) fn wrong(&self, of: &str, times: usize, how: How) {
        self.skip(of, 0, times, how);
    }

    /// The first requests go well.
    pub(super) fn skip(&self, of: &str, skip: usize, times: usize, how: How) {
        self.state().wrongs = vec![Wrong { of: of.to_owned(), skip, times, how }];
    }

    pub(super) fn page(&self, names: usize) {
        self.state().page = names;
    }

    /// What was asked since the last time.
    pub(super) fn take_asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.state().asked)
    }
}

impl Server {
    /// How many requests have waited for their answers at once, since the last time.
    pub(super) fn take_most_at_once(&self) -> usize {
        std::mem::take(&mut self.state().waiting.1)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// Four bytes as base64.
fn base64(bytes: [u8; 4]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = u64::from(u32::from_be_bytes(bytes)) << 4;
    let digit = |n: u32| char::from(DIGITS[usize::try_from(bits >> (30 - 6 * n) & 63).unwrap()]);
    (0..6).map(digit).chain(['=', '=']).collect()
}

struct Request {
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length: usize = headers.get("content-length").map_or(0, |n| n.parse().unwrap());
    reader.read_exact(&mut vec![0; length]).ok()?;
    Some(Request { method, path, headers })
}

struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Arc<[u8]>,
    range: std::ops::Range<usize>,
    is_cut: bool,
}

impl Answer {
    fn of(status: u16, body: impl Into<Arc<[u8]>>) -> Self {
        let body = body.into();
        let range = 0..body.len();
        Self { status, headers: Vec::new(), body, range, is_cut: false }
    }
}

fn serve(stream: TcpStream, shared: &Mutex<State>) {
    stream.set_nodelay(true).unwrap();
    let mut writer = stream.try_clone().unwrap();
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader) {
        let (answer, pause) = answer(&request, shared);
        let wait = |change: fn(&mut usize)| {
            let (now, most) = &mut shared.lock().unwrap().waiting;
            change(now);
            *most = (*most).max(*now);
        };
        wait(|now| *now += 1);
        std::thread::sleep(pause);
        wait(|now| *now -= 1);
        let body = &answer.body[answer.range.clone()];
        let mut head = format!("HTTP/1.1 {} X\r\ncontent-length: {}\r\n", answer.status, body.len());
        for (name, value) in &answer.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        let sent = match () {
            () if request.method == "HEAD" => &body[..0],
            () if answer.is_cut => &body[..body.len() / 2],
            () => body,
        };
        shared.lock().unwrap().asked.push(Asked {
            path: request.path,
            headers: request.headers,
            sent: sent.len() as u64,
        });
        if writer.write_all((head + "\r\n").as_bytes()).and_then(|()| writer.write_all(sent)).is_err() || answer.is_cut
        {
            return;
        }
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
            }
            b'+' => bytes.push(b' '),
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn answer(request: &Request, shared: &Mutex<State>) -> (Answer, Duration) {
    let mut state = shared.lock().unwrap();
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let name = decoded(path.trim_start_matches('/'));
    let asked = decoded(&request.path);
    let how = state.wrongs.iter_mut().find(|wrong| asked.contains(&wrong.of)).and_then(|wrong| {
        let (is_early, is_over) = (wrong.skip > 0, wrong.times == 0);
        match (is_early, is_over) {
            (true, _) => wrong.skip -= 1,
            (false, false) => wrong.times -= 1,
            (false, true) => {}
        }
        (!is_early && !is_over).then(|| wrong.how.clone())
    });
    let mut pause = Duration::ZERO;
    match &how {
        Some(How::Status(status, body)) => return (Answer::of(*status, body.clone().into_bytes()), pause),
        Some(How::StatusWith(status, header, body)) => {
            let mut answer = Answer::of(*status, body.clone().into_bytes());
            answer.headers.push(header.clone());
            return (answer, pause);
        }
        Some(How::Redirect(to)) => {
            let mut answer = Answer::of(302, *b"");
            let rest = asked.split_once(&state.wrongs[0].of).unwrap().1;
            answer.headers.push(("location", format!("{to}{rest}?token=HIDDEN")));
            return (answer, pause);
        }
        Some(How::Replaced) => {
            let version = state.asked.len();
            if let Some((bytes, tag)) = state.objects.get_mut(&name) {
                *bytes = bytes.iter().map(|byte| byte ^ 1).collect();
                *tag = format!("\"other-{version}\"");
            }
        }
        Some(How::Slow(time)) => pause = *time,
        _ => {}
    }
    if query.contains("list-type=2") {
        let values: BTreeMap<String, String> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (key.to_owned(), decoded(value)))
            .collect();
        return (listing(&state, &name, &values), pause);
    }
    let Some((bytes, tag)) = state.objects.get(&name).cloned() else {
        let body = "<Error><Code>NoSuchKey</Code></Error>";
        return (Answer::of(404, body.as_bytes()), pause);
    };
    if request.headers.get("if-match").is_some_and(|wanted| *wanted != tag) {
        return (Answer::of(412, *b"<Error><Code>PreconditionFailed</Code></Error>"), pause);
    }
    let len = bytes.len();
    let mut answer = Answer::of(200, bytes);
    answer.headers.push(("etag", tag));
    // Google always tells its checksum; Amazon if it is asked, and it may be one of parts.
    let crc = base64(Crc32c::of(&answer.body).0.to_be_bytes());
    match request.headers.get("x-amz-checksum-mode") {
        Some(_) => {
            let kind = if name.contains("parts") { "COMPOSITE" } else { "FULL_OBJECT" };
            answer.headers.push(("x-amz-checksum-crc32c", crc));
            answer.headers.push(("x-amz-checksum-type", kind.to_owned()));
        }
        None => answer.headers.push(("x-goog-hash", format!("crc32c={crc}"))),
    }
    answer.headers.push(("last-modified", "Thu, 01 Oct 2026 10:00:00 GMT".to_owned()));
    let range = request.headers.get("range").filter(|_| !matches!(how, Some(How::Whole)));
    if let Some((start, last)) = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-')) {
        let (mut start, last): (usize, usize) = (start.parse().unwrap(), last.parse().unwrap());
        if start >= len {
            let mut answer = Answer::of(416, *b"");
            answer.headers.push(("content-range", format!("bytes */{len}")));
            return (answer, pause);
        }
        let mut end = (last + 1).min(len);
        if matches!(how, Some(How::OtherRange)) {
            (start, end) = (start + 1, (end + 1).min(len));
        }
        answer.status = 206;
        answer.headers.push(("content-range", format!("bytes {start}-{}/{len}", end - 1)));
        answer.range = start..end;
    }
    answer.is_cut = matches!(how, Some(How::Cut));
    (answer, pause)
}

/// An answer of `ListObjectsV2`.
fn listing(state: &State, bucket: &str, query: &BTreeMap<String, String>) -> Answer {
    let of = |key: &str| query.get(key).map(String::as_str).unwrap_or_default();
    let bucket = format!("{}/", bucket.trim_end_matches('/'));
    if !state.objects.keys().any(|name| name.starts_with(&bucket)) {
        return Answer::of(404, *b"<Error><Code>NoSuchBucket</Code></Error>");
    }
    let (prefix, after) = (of("prefix"), of("continuation-token"));
    let mut entries: BTreeMap<String, String> = BTreeMap::new();
    for (name, (bytes, tag)) in &state.objects {
        let Some((key, rest)) = name.strip_prefix(&bucket).and_then(|key| Some((key, key.strip_prefix(prefix)?)))
        else {
            continue;
        };
        if let Some(at) = rest.find('/').filter(|_| of("delimiter") == "/") {
            let folder = format!("{prefix}{}", &rest[..=at]);
            let row = format!("<CommonPrefixes><Prefix>{folder}</Prefix></CommonPrefixes>");
            entries.insert(folder, row);
        } else {
            let row = format!(
                "<Contents><Key>{key}</Key><Size>{}</Size><LastModified>2026-10-01T10:00:00Z</LastModified>\
                 <ETag>{tag}</ETag></Contents>",
                bytes.len()
            );
            entries.insert(key.to_owned(), row);
        }
    }
    let most = of("max-keys").parse().unwrap_or(state.page).min(state.page);
    let rest: Vec<(&String, &String)> = entries.iter().filter(|(key, _)| key.as_str() > after).collect();
    let mut body = String::from("<?xml version=\"1.0\"?><ListBucketResult>");
    for (_, row) in rest.iter().take(most) {
        body += row;
    }
    if rest.len() > most {
        body.extend(["<NextContinuationToken>", rest[most - 1].0, "</NextContinuationToken>"]);
    }
    Answer::of(200, (body + "</ListBucketResult>").into_bytes())
}
