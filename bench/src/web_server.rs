//! A web server on this machine that answers range requests, and the floor beside it: the same bytes downloaded by as many
//! connections as there are threads, and hardly looked at.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail};

/// Bytes of a request.
const UNIT: u64 = 8 << 20;
const WINDOW: usize = 256 << 10;

/// A server in a process of its own, which ends with this.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it answers.
    pub url: String,
}

impl Server {
    /// Serves the files below a directory.
    pub fn start(own: &Path, dir: &Path) -> Result<Self> {
        let mut command = Command::new(own);
        let mut child = command.arg("serve").arg(dir).stdout(Stdio::piped()).spawn().context("cannot serve")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("it says where it answers")?).read_line(&mut line)?;
        Ok(Self { child, url: line.trim_end().to_owned() })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Answers until it is killed.
pub fn serve(dir: &Path) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    for stream in listener.incoming() {
        let (stream, dir) = (stream?, dir.to_owned());
        std::thread::spawn(move || {
            // A connection that ends is no reason to say something.
            let _ = answer(&stream, &dir);
        });
    }
    Ok(())
}

fn answer(stream: &TcpStream, dir: &Path) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut requests = BufReader::new(stream);
    let mut window = vec![0; WINDOW];
    loop {
        let Some((first, headers)) = head(&mut requests)? else { return Ok(()) };
        let (method, path) = first.split_once(' ').context("a request line")?;
        let path = path.split([' ', '?']).next().unwrap_or_default().trim_start_matches('/');
        let mut out = stream;
        let Some(file) = File::open(dir.join(path)).ok().filter(|file| file.metadata().is_ok_and(|m| m.is_file()))
        else {
            out.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")?;
            continue;
        };
        let len = file.metadata()?.len();
        let asked = headers.iter().find_map(|(name, value)| {
            let (from, to) = value.strip_prefix("bytes=").filter(|_| name == "range")?.split_once('-')?;
            Some((from.parse::<u64>().ok()?, to.parse::<u64>().map_or(len, |to| to + 1).min(len)))
        });
        let (status, (from, to)) = match asked {
            Some(range) => ("206 Partial Content", range),
            None => ("200 OK", (0, len)),
        };
        let mut lines = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nAccept-Ranges: bytes\r\nETag: \"{len}\"\r\n",
            to.saturating_sub(from)
        );
        if asked.is_some() {
            lines.push_str(&format!("Content-Range: bytes {from}-{}/{len}\r\n", to.saturating_sub(1)));
        }
        out.write_all(format!("{lines}\r\n").as_bytes())?;
        let mut at = if method == "HEAD" { to } else { from };
        while at < to {
            let part = &mut window[..usize::try_from(to - at).unwrap_or(WINDOW).min(WINDOW)];
            file.read_exact_at(part, at)?;
            out.write_all(part)?;
            at += part.len() as u64;
        }
    }
}

/// A first line and the headers behind it, names in small letters.
type Head = (String, Vec<(String, String)>);

fn head(from: &mut impl BufRead) -> Result<Option<Head>> {
    let (mut first, mut headers) = (String::new(), Vec::new());
    if from.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    loop {
        let mut line = String::new();
        if from.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.trim().to_owned())),
            None => return Ok(Some((first, headers))),
        }
    }
}

/// Downloads files in ranges.
pub fn download(urls: &[PathBuf], threads: usize) -> Result<()> {
    let mut units = Vec::new();
    for url in urls {
        let url = url.to_str().and_then(|url| url.strip_prefix("http://")).context("an address")?;
        let (host, path) = url.split_once('/').context("a path")?;
        let mut one = BufReader::new(TcpStream::connect(host)?);
        one.get_mut().write_all(format!("HEAD /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes())?;
        let (_, headers) = head(&mut one)?.context("an answer")?;
        let len = headers.iter().find(|(name, _)| name == "content-length").context("a length")?.1.parse::<u64>()?;
        units.extend((0..len).step_by(usize::try_from(UNIT)?).map(|from| (host, path, from, (from + UNIT).min(len))));
    }
    let next = AtomicUsize::new(0);
    let run = || -> Result<u64> {
        let (mut sum, mut window) = (0u64, vec![0; WINDOW]);
        let Some((host, ..)) = units.first() else { return Ok(0) };
        let mut stream = BufReader::with_capacity(WINDOW, TcpStream::connect(host)?);
        stream.get_mut().set_nodelay(true)?;
        while let Some((host, path, from, to)) = units.get(next.fetch_add(1, Ordering::Relaxed)) {
            let last = to.saturating_sub(1);
            // In one piece: the second of several waits for an answer to the first.
            let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nRange: bytes={from}-{last}\r\n\r\n");
            stream.get_mut().write_all(request.as_bytes())?;
            let (first, _) = head(&mut stream)?.context("an answer")?;
            if !first.contains(" 206 ") {
                bail!("{path}: {first}");
            }
            let mut left = usize::try_from(to - from)?;
            while left > 0 {
                let part = left.min(WINDOW);
                stream.read_exact(&mut window[..part])?;
                sum = sum.wrapping_add(u64::from(window[0]));
                left -= part;
            }
        }
        Ok(sum)
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().expect("a worker does not panic").map(|sum| println!("{sum}")))
    })
}
