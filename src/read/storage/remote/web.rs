//! A web server: range requests, one name at a time.
//!
//! What lies at an address is asked by asking for its first bytes: their answer says how long it is, which version of it,
//! and whether the server can answer ranges at all, and it works where `HEAD` is not allowed, as with signed addresses.

use std::io;
use std::ops::Range;
use std::time::{Duration, SystemTime};

use reqwest::header::{
    CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, IF_MATCH, LAST_MODIFIED, RANGE, RETRY_AFTER,
};
use reqwest::{Client, Response};

use super::super::address::{Address, Scheme};
use super::super::secrets;
use super::fault::{self, Answer};
use super::net;
use super::place::{Later, Meta, Page, Server};
use crate::base::fault::Fault;

/// So many bytes are asked for to see what something is.
const HEAD: u64 = 64 << 10;
/// Memory that is taken at once for an answer.
const RANGE_LEN: u64 = 8 << 20;
/// What a server sends only whole is read if it is no longer than this.
const WHOLE: u64 = 64 << 20;

/// A server.
#[derive(Clone, Debug)]
pub(super) struct Web {
    client: Client,
    word: &'static str,
    host: String,
}

impl Web {
    pub(super) fn new(address: &Address) -> io::Result<Self> {
        Ok(Self { client: net::web_client()?, word: address.word, host: address.host.clone() })
    }

    /// Asks for these bytes until there is an answer that is one.
    async fn get(self, key: String, range: Range<u64>, tag: Option<String>) -> io::Result<Response> {
        let address = Address { scheme: Scheme::Web, word: self.word, host: self.host.clone(), key };
        let secrets = secrets::of(&address);
        if secrets.is_ambiguous {
            return Err(Fault::new(
                "this address was given with two different queries, and only one can be read at a time",
            )
            .with_help("download one of the two")
            .of_kind(io::ErrorKind::InvalidInput));
        }
        let url = reqwest::Url::parse(&spelled(&address, secrets.query.as_deref()))
            .map_err(|_| Fault::new("this is no address of a web server").of_kind(io::ErrorKind::InvalidInput))?;
        let is_signed = secrets.user.is_some() || secrets.query.is_some();
        for tried in 0.. {
            let mut request = self.client.get(url.clone());
            request = request.header(RANGE, format!("bytes={}-{}", range.start, range.end.saturating_sub(1)));
            if let Some(tag) = &tag {
                request = request.header(IF_MATCH, tag);
            }
            if let Some((name, password)) = &secrets.user {
                request = request.basic_auth(name, Some(password));
            }
            match request.send().await {
                Ok(response) => {
                    let status = response.status().as_u16();
                    let is_busy = matches!(status, 408 | 429 | 500 | 502 | 503 | 504);
                    if is_busy && tried < net::RETRIES {
                        net::pause(tried, wait_asked_for(response.headers())).await;
                        continue;
                    }
                    if matches!(status, 200 | 206 | 412 | 416) {
                        return Ok(response);
                    }
                    let code = if status >= 400 { code_of(response).await } else { None };
                    return Err(Answer { status, code, region: None, is_signed }.fault(Scheme::Web));
                }
                Err(_) if tried < net::RETRIES => net::pause(tried, None).await,
                Err(error) => return Err(of_transport(&error)),
            }
        }
        Err(io::ErrorKind::Interrupted.into())
    }

    /// The bytes of a range, as often as the connection breaks.
    async fn bytes(self, key: String, range: Range<u64>, meta: Meta) -> io::Result<Vec<u8>> {
        let asked = range.end.saturating_sub(range.start);
        let mut got = 0;
        for tried in 0..=net::RETRIES {
            let tag = meta.strong_tag().map(str::to_owned);
            let response = self.clone().get(key.clone(), range.clone(), tag).await?;
            let headers = response.headers();
            match response.status().as_u16() {
                // It is shorter now.
                412 | 416 => return Err(fault::changed()),
                206 => {
                    let Some((start, end, len)) = content_range(headers) else {
                        return Err(fault::wrong_range(&range, "none"));
                    };
                    if !meta.is_still(text(headers, &ETAG), len) || is_later(&meta, headers) {
                        return Err(fault::changed());
                    }
                    if (start, end) != (range.start, range.end) {
                        return Err(fault::wrong_range(&range, &format!("{start}-{}", end.saturating_sub(1))));
                    }
                }
                _ => {
                    if !meta.is_still(text(headers, &ETAG), length(headers)) || is_later(&meta, headers) {
                        return Err(fault::changed());
                    }
                    if meta.len > WHOLE {
                        return Err(no_ranges(meta.len));
                    }
                    let whole = body(response, meta.len).await;
                    got = whole.len() as u64;
                    if got == meta.len {
                        let at = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
                        return Ok(whole.get(at(range.start)..at(range.end)).unwrap_or_default().to_vec());
                    }
                    net::pause(tried, None).await;
                    continue;
                }
            }
            let bytes = body(response, asked).await;
            got = bytes.len() as u64;
            if got == asked {
                return Ok(bytes);
            }
            net::pause(tried, None).await;
        }
        Err(fault::cut(asked, got))
    }

    async fn look(self, key: String) -> io::Result<(Meta, Option<Vec<u8>>)> {
        let response = self.get(key, 0..HEAD, None).await?;
        let headers = response.headers();
        let modified = text(headers, &LAST_MODIFIED).and_then(time);
        let tag = text(headers, &ETAG).map(str::to_owned);
        match response.status().as_u16() {
            // A range of nothing cannot be answered otherwise.
            416 if content_range_len(headers).is_none_or(|len| len == 0) => Ok((Meta { len: 0, modified, tag }, None)),
            206 => {
                let Some((0, end, Some(len))) = content_range(headers) else {
                    return Err(fault::wrong_range(&(0..HEAD), "something else"));
                };
                let head = body(response, end.min(HEAD)).await;
                let head = (head.len() as u64 == end.min(HEAD)).then_some(head);
                Ok((Meta { len, modified, tag }, head))
            }
            200 => match length(headers) {
                Some(len) => {
                    // Some servers send short files whole, whatever was asked for.
                    let head = if len <= HEAD { Some(body(response, len).await) } else { None };
                    let head = head.filter(|head| head.len() as u64 == len);
                    Ok((Meta { len, modified, tag }, head))
                }
                None => Err(Fault::new("the server does not say how long this is, and cannot send parts of it")
                    .with_help("download it, and read it from the disk")
                    .of_kind(io::ErrorKind::Unsupported)),
            },
            status => Err(Answer { status, ..Answer::default() }.fault(Scheme::Web)),
        }
    }
}

impl Server for Web {
    fn can_list(&self) -> bool {
        false
    }

    fn page(&self, _: &str, _: Option<String>) -> Later<Page> {
        Box::pin(async { Err(io::ErrorKind::Unsupported.into()) })
    }

    fn head(&self, key: &str) -> Later<(Meta, Option<Vec<u8>>)> {
        Box::pin(self.clone().look(key.to_owned()))
    }

    fn fetch(&self, key: &str, range: Range<u64>, meta: &Meta) -> Later<Vec<u8>> {
        Box::pin(self.clone().bytes(key.to_owned(), range, meta.clone()))
    }
}

/// The address as a server takes it: what is no ASCII and what has a meaning in addresses is encoded, but for what was
/// encoded already.
fn spelled(address: &Address, query: Option<&str>) -> String {
    use std::fmt::Write as _;
    let mut url = format!("{}://{}/", address.word, address.host);
    for byte in address.key.bytes() {
        if byte.is_ascii_graphic()
            && !matches!(byte, b'"' | b'<' | b'>' | b'?' | b'#' | b'`' | b'{' | b'}' | b'\\' | b'^')
        {
            url.push(char::from(byte));
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
    }
    if let Some(query) = query {
        url.push('?');
        url.push_str(query);
    }
    url
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn length(headers: &HeaderMap) -> Option<u64> {
    text(headers, &CONTENT_LENGTH)?.trim().parse().ok()
}

/// `bytes 0-99/1234`: from where, to where (not included), of how many where that is told.
fn content_range(headers: &HeaderMap) -> Option<(u64, u64, Option<u64>)> {
    let (range, len) = text(headers, &CONTENT_RANGE)?.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, last) = range.split_once('-')?;
    Some((start.parse().ok()?, last.parse::<u64>().ok()?.checked_add(1)?, len.parse().ok()))
}

/// `bytes */1234`.
fn content_range_len(headers: &HeaderMap) -> Option<u64> {
    text(headers, &CONTENT_RANGE)?.trim().strip_prefix("bytes */")?.parse().ok()
}

/// A date as in a header.
fn time(text: &str) -> Option<SystemTime> {
    chrono::DateTime::parse_from_rfc2822(text).ok().map(SystemTime::from)
}

/// Whether the server says another time of change than before, where nothing better tells versions apart.
fn is_later(meta: &Meta, headers: &HeaderMap) -> bool {
    let now = text(headers, &LAST_MODIFIED).and_then(time);
    meta.tag.is_none() && meta.modified.zip(now).is_some_and(|(was, is)| was != is)
}

fn wait_asked_for(headers: &HeaderMap) -> Option<Duration> {
    text(headers, &RETRY_AFTER)?.trim().parse().ok().map(Duration::from_secs)
}

/// The bytes of an answer, up to `most` of them; fewer where the connection broke.
async fn body(mut response: Response, most: u64) -> Vec<u8> {
    // No more is asked for at once than a range, and what is sent whole is short.
    let mut bytes = Vec::with_capacity(usize::try_from(most.min(RANGE_LEN)).unwrap_or(0));
    while (bytes.len() as u64) < most {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) | Err(_) => break,
        }
    }
    bytes.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    bytes
}

/// The code in the body of an error, of which no more is read than a code needs.
async fn code_of(response: Response) -> Option<String> {
    const MOST: u64 = 8 << 10;
    fault::code_in(&String::from_utf8_lossy(&body(response, MOST).await))
}

fn no_ranges(len: u64) -> io::Error {
    let what = format!("the server sends only the whole file ({len} bytes), not parts of it (no range requests)");
    Fault::new(what).with_help("download it, and read it from the disk").of_kind(io::ErrorKind::Unsupported)
}

fn of_transport(error: &reqwest::Error) -> io::Error {
    use object_store::client::HttpErrorKind;
    let kind = match () {
        () if error.is_timeout() => HttpErrorKind::Timeout,
        () if error.is_connect() => HttpErrorKind::Connect,
        () if error.is_redirect() => {
            return Fault::new("the server leads elsewhere: too often, or from an encrypted connection to an open one")
                .with_help("download the file with a browser or curl")
                .of_kind(io::ErrorKind::Other);
        }
        () => HttpErrorKind::Interrupted,
    };
    fault::transport(kind, fault::innermost(error).as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_spelled_as_servers_take_it() {
        let address = Address::parse("https://h/a b/ü%20c").unwrap();
        assert_eq!(spelled(&address, Some("x=1")), "https://h/a%20b/%C3%BC%20c?x=1");
    }

    #[test]
    fn ranges_are_read_as_servers_write_them() {
        let of = |text: &'static str| {
            let header = (CONTENT_RANGE, reqwest::header::HeaderValue::from_static(text));
            content_range(&std::iter::once(header).collect())
        };
        assert_eq!(of("bytes 0-99/1234"), Some((0, 100, Some(1234))));
        assert_eq!(of("bytes 5-5/*"), Some((5, 6, None)));
        assert_eq!(of("bytes */1234"), None);
        assert_eq!(of("bytes 0-18446744073709551615/1"), None);
    }
}
