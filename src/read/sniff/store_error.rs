//! What a server says when it does not give a file, saved where the file should be.
//!
//! Object stores answer in XML: Amazon S3, Google Cloud Storage and Azure alike with `<Error><Code>…</Code><Message>…`,
//! a listing of a bucket with another root; JSON and short texts come from APIs and web servers.

use super::looks::{Foreign, Looks, Proof};
use crate::base::escape::escaped;

/// How much of a message is told.
const MESSAGE: usize = 160;

/// An answer in place of a file; `text` is what the file begins with.
pub(super) fn looks(text: &[u8]) -> Option<Looks> {
    xml(text).or_else(|| json(text)).or_else(|| plain(text))
}

fn xml(text: &[u8]) -> Option<Looks> {
    let mut rest = text;
    if rest.starts_with(b"<?xml") {
        let end = memchr::memmem::find(rest, b"?>")?;
        rest = rest.get(end.saturating_add(2)..)?.trim_ascii_start();
    }
    for listing in [&b"<ListBucketResult"[..], b"<EnumerationResults"] {
        if rest.starts_with(listing) {
            let advice = "the address was that of a bucket or a folder: fetch the files in it by their own addresses";
            return Some(answer("the listing of a bucket of an object store", advice));
        }
    }
    if !rest.starts_with(b"<Error>") && !rest.starts_with(b"<Error ") {
        return None;
    }
    let code = element(rest, "Code")?;
    let message = element(rest, "Message").unwrap_or_default();
    let what = if message.is_empty() { code.clone() } else { format!("{code} ({message})") };
    Some(answer(&format!("the error of an object store, {what}"), advice(&code, &message)))
}

/// The text of an element, in one line and made harmless.
fn element(text: &[u8], name: &str) -> Option<String> {
    let from = memchr::memmem::find(text, format!("<{name}>").as_bytes())?;
    let rest = text.get(from.saturating_add(name.len()).saturating_add(2)..)?;
    let end = memchr::memchr(b'<', rest).unwrap_or(rest.len());
    // Azure's message goes on with numbers of the request.
    let line = rest.get(..end)?.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii();
    let shown: String = escaped(line).chars().take(MESSAGE).collect();
    Some(shown).filter(|shown| !shown.is_empty())
}

/// `{"error": {"code": 404, "message": "…"}}` of Google's JSON API, `{"error": "…"}` of Hugging Face and others.
fn json(text: &[u8]) -> Option<Looks> {
    let value: serde_json::Value = serde_json::from_slice(text.trim_ascii()).ok()?;
    let error = value.as_object()?.get("error")?;
    let message = error.as_str().or_else(|| error.get("message")?.as_str())?;
    let message: String = escaped(message.as_bytes()).chars().take(MESSAGE).collect();
    let code = error.get("code").and_then(serde_json::Value::as_u64);
    let what = code.map_or_else(|| message.clone(), |code| format!("{code} ({message})"));
    let code = code.map_or_else(String::new, |code| code.to_string());
    Some(answer(&format!("the error of a web server in JSON, {what}"), advice(&code, &message)).but(Proof::Likely))
}

/// What servers say in a line.
fn plain(text: &[u8]) -> Option<Looks> {
    const LINES: &[&str] = &[
        "404: not found",
        "404 not found",
        "not found",
        "entry not found",
        "repository not found",
        "file not found",
        "403 forbidden",
        "forbidden",
        "access denied",
        "access to this resource",
        "unauthorized",
        "401 unauthorized",
        "invalid username or password",
        "invalid credentials",
        "too many requests",
        "request has expired",
        "rate limit exceeded",
        "internal server error",
        "bad gateway",
        "service unavailable",
    ];
    const LONGEST: usize = 300;
    let line = std::str::from_utf8(text.trim_ascii()).ok().filter(|line| line.len() <= LONGEST)?;
    let lower = line.to_ascii_lowercase();
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric());
    LINES.iter().find(|start| lower.strip_prefix(**start).is_some_and(ends))?;
    let line: String = escaped(line.lines().next()?.as_bytes()).chars().take(MESSAGE).collect();
    let advice = advice("", &line);
    Some(answer(&format!("the answer of a web server, \"{line}\""), advice).but(Proof::Likely))
}

fn answer(what: &str, advice: &'static str) -> Looks {
    let what = format!("{what}, saved in place of the file");
    Looks { kind: Foreign::WebPage, what: what.into(), advice: advice.into(), proof: Proof::Sure }
}

/// What to do about an error of one code. Codes: S3's and GCS's lists of error responses, Azure's of common codes.
fn advice(code: &str, message: &str) -> &'static str {
    let (code, message) = (code.to_ascii_lowercase(), message.to_ascii_lowercase());
    let says = |words: &[&str]| words.iter().any(|word| code.contains(word) || message.contains(word));
    if says(&["expired"]) {
        "the link or the token had expired when it was fetched: get a new one and fetch the file again"
    } else if says(&["nosuch", "notfound", "not found", "does not exist", "no such", "404"]) {
        "there was nothing at the address that it was fetched from: look at bucket, path and spelling, and fetch it again"
    } else if says(&[
        "slowdown",
        "toomany",
        "too many",
        "busy",
        "unavailable",
        "timeout",
        "internal",
        "gateway",
        "rate limit",
        "429",
        "503",
    ]) {
        "the server was busy: fetch the file again"
    } else if says(&["redirect"]) {
        "the bucket is in another region: fetch the file from the endpoint that the answer names"
    } else if says(&[
        "denied",
        "auth",
        "forbidden",
        "permitted",
        "credential",
        "signature",
        "accesskey",
        "token",
        "password",
        "disabled",
        "401",
        "403",
    ]) {
        "the download was not allowed: sign in, or ask for access, and fetch the file again"
    } else {
        "fetch the file itself"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Option<(String, String)> {
        looks(text.as_bytes()).map(|found| (found.what.into_owned(), found.advice.into_owned()))
    }

    #[test]
    fn answers_of_stores_and_servers_are_told_with_their_code() {
        for (text, code, advice) in [
            (
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does \
                 not exist.</Message><Key>a/m.index</Key><RequestId>4442587FB7D0A2F9</RequestId></Error>",
                "NoSuchKey (The specified key does not exist.)",
                "nothing at the address",
            ),
            (
                "<?xml version='1.0' encoding='UTF-8'?><Error><Code>AccessDenied</Code><Message>Access denied.</Message>\
                 <Details>Anonymous caller does not have storage.objects.get access</Details></Error>",
                "AccessDenied (Access denied.)",
                "not allowed",
            ),
            (
                "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>",
                "AccessDenied",
                "expired",
            ),
            (
                "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>",
                "ExpiredToken",
                "expired",
            ),
            (
                "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>BlobNotFound</Code><Message>The specified blob \
                 does not exist.\nRequestId:1\nTime:2</Message></Error>",
                "BlobNotFound (The specified blob does not exist.)",
                "nothing at the address",
            ),
            (
                "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>",
                "SlowDown",
                "busy",
            ),
            ("<Error><Code>SignatureDoesNotMatch</Code></Error>", "SignatureDoesNotMatch", "not allowed"),
            ("<Error><Code>PermanentRedirect</Code></Error>", "PermanentRedirect", "region"),
            ("<Error><Code>Teapot</Code></Error>", "Teapot", "fetch the file itself"),
            (
                "<ListBucketResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>",
                "listing of a bucket",
                "own addresses",
            ),
            (
                "{\"error\": {\"code\": 404, \"message\": \"No such object: b/m.index\"}}",
                "404 (No such object",
                "nothing at",
            ),
            ("{\"error\":\"Invalid credentials in Authorization header\"}", "Invalid credentials", "not allowed"),
            ("404: Not Found", "404: Not Found", "nothing at"),
            ("Entry not found\n", "Entry not found", "nothing at"),
        ] {
            let (what, to_do) = said(text).unwrap();
            assert!(what.contains(code) && what.ends_with("saved in place of the file"), "{what}");
            assert!(to_do.contains(advice), "{text}: {to_do}");
        }
        let (what, _) = said("<Error><Code>\x1b[2JNoSuchKey</Code></Error>").unwrap();
        assert!(!what.contains('\x1b'), "{what}");
        for other in ["", "<?xml version='1.0'?><note/>", "<Error>", "{\"a\": 1}", "not foundations", "{\"error\": 5}"]
        {
            assert!(said(other).is_none(), "{other}");
        }
    }
}
