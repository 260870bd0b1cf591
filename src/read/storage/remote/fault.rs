//! What a failure means and what to do about it. Nothing of a server's answer is shown but its status and its code: a
//! body may repeat what was sent to it.

use std::io;

use object_store::client::{HttpError, HttpErrorKind};

use super::super::address::Scheme;
use crate::base::fault::Fault;

/// What a server answered instead.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    /// The status.
    pub(super) status: u16,
    /// The server's own word for it: `AccessDenied`.
    pub(super) code: Option<String>,
    /// The region in which a bucket really is.
    pub(super) region: Option<String>,
    /// Whether something was sent that says who asks.
    pub(super) is_signed: bool,
}

impl Answer {
    /// The answer as an error.
    pub(super) fn fault(&self, scheme: Scheme) -> io::Error {
        let Self { status, code, .. } = self;
        let what = match code {
            Some(code) => format!("the server answers {status} ({code})"),
            None => format!("the server answers {status}{}", reason(*status)),
        };
        let kind = match status {
            404 | 410 => io::ErrorKind::NotFound,
            401 | 403 | 407 => io::ErrorKind::PermissionDenied,
            408 | 504 => io::ErrorKind::TimedOut,
            _ => io::ErrorKind::Other,
        };
        let fault = Fault::new(what);
        match self.help(scheme) {
            Some(help) => fault.with_help(help),
            None => fault,
        }
        .of_kind(kind)
    }

    fn help(&self, scheme: Scheme) -> Option<String> {
        let code = self.code.as_deref().unwrap_or_default();
        let is = |part: &str| code.contains(part);
        let help = match self.status {
            _ if is("UserProjectMissing") || is("RequesterPays") || is("requester") => match scheme {
                Scheme::S3 => "who reads this bucket pays: AWS_REQUEST_PAYER=true says that you do",
                _ => {
                    "who reads this bucket pays, and names a project for it: copy it with gcloud storage cp --billing-project"
                }
            },
            _ if is("NoSuchBucket") || is("ContainerNotFound") => {
                "there is no bucket of this name: look at its spelling"
            }
            _ if is("ExpiredToken") || is("TokenRefreshRequired") => "the credentials are out of date: log in again",
            _ if is("RequestTimeTooSkewed") => {
                "the clock of this machine is wrong, and signatures hold for minutes: set it"
            }
            _ if is("SignatureDoesNotMatch") || is("InvalidAccessKeyId") || is("AuthenticationFailed") => {
                "the credentials are not valid there: look at the variables and files that they come from"
            }
            301 | 307 | 400 if self.region.is_some() => {
                let region = self.region.as_deref().unwrap_or_default();
                return Some(format!("the bucket lies in another region: AWS_REGION={region}"));
            }
            301 | 307 if scheme == Scheme::S3 => "the bucket lies in another region: set AWS_REGION to it",
            401 | 403 => match scheme {
                Scheme::Web => {
                    "it may not be read like this: a signed address may be out of date, or the file may be private"
                }
                Scheme::Gs if self.is_signed => {
                    "whoever these credentials are may not read it: storage.objects.get and .list are needed (Storage Object Viewer)"
                }
                Scheme::Gs => {
                    "it is not public: log in by gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS"
                }
                Scheme::S3 if self.is_signed => {
                    "whoever these credentials are may not read it: s3:GetObject and s3:ListBucket are needed"
                }
                Scheme::S3 => "it is not public: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
                Scheme::Az if self.is_signed => {
                    "whoever these credentials are may not read it: the role Storage Blob Data Reader is needed"
                }
                Scheme::Az => "it is not public: set AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_KEY, or log in",
            },
            407 => "the proxy wants to know who you are",
            408 | 429 | 500..=599 => {
                "it was asked several times; the server is in trouble or too busy: try again later"
            }
            _ => return None,
        };
        Some(help.to_owned())
    }
}

/// The word for a status that people may not know by heart.
fn reason(status: u16) -> &'static str {
    match status {
        401 => " (who asks is not known)",
        403 => " (not allowed)",
        404 => " (not found)",
        410 => " (gone)",
        416 => " (no such range)",
        429 => " (too many requests)",
        500 => " (internal error)",
        502 => " (bad gateway)",
        503 => " (busy)",
        504 => " (took too long)",
        _ => "",
    }
}

/// The server's own word in an error body: S3, Google and Azure write `<Code>` alike.
pub(super) fn code_in(body: &str) -> Option<String> {
    let (_, rest) = body.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    let is_word = !code.is_empty() && code.len() <= 60 && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
    is_word.then(|| code.to_owned())
}

/// Nobody said who asks, though somebody was asked for it.
pub(super) fn no_credentials(scheme: Scheme) -> io::Error {
    let help = match scheme {
        Scheme::S3 => {
            "look at the variables AWS_* and at the role of this machine; AWS_SKIP_SIGNATURE=true reads what is public"
        }
        Scheme::Az => "look at the variables AZURE_*; AZURE_SKIP_SIGNATURE=true reads what is public",
        _ => "look at GOOGLE_APPLICATION_CREDENTIALS or log in anew; GOOGLE_SKIP_SIGNATURE=true reads what is public",
    };
    let what = "no credentials could be had from whoever gives them out";
    Fault::new(what).with_help(help).of_kind(io::ErrorKind::PermissionDenied)
}

/// What was read is not what was opened.
pub(super) fn changed() -> io::Error {
    Fault::new("it was replaced while it was read: the server has another version now")
        .with_help("nothing of the two was mixed; read it again when whoever writes it has finished")
        .of_kind(io::ErrorKind::Other)
}

/// A server answered other bytes than were asked for.
pub(super) fn wrong_range(asked: &std::ops::Range<u64>, got: &str) -> io::Error {
    let last = asked.end.saturating_sub(1);
    let what = format!("the server answers another range than was asked for: bytes {}-{last}, got {got}", asked.start);
    Fault::new(what).with_help("download the file, and read it from the disk").of_kind(io::ErrorKind::InvalidData)
}

/// A store answered a range with another one, or with the whole object.
pub(super) fn no_answer(status: u16) -> io::Error {
    let what = match status {
        206 => "the server answers another range than was asked for",
        _ => "the server sends only whole objects, not parts of them (no range requests)",
    };
    Fault::new(what).with_help("download the file, and read it from the disk").of_kind(io::ErrorKind::InvalidData)
}

/// An answer ended before its end, again and again.
pub(super) fn cut(asked: u64, got: u64) -> io::Error {
    let what = format!("the connection ended early each time: {got} of {asked} bytes came");
    Fault::new(what).with_help("try again later, or download the file").of_kind(io::ErrorKind::ConnectionAborted)
}

/// A connection that could not be made, or was lost.
pub(super) fn transport(kind: HttpErrorKind, innermost: Option<&str>) -> io::Error {
    let (what, kind) = match kind {
        HttpErrorKind::Connect => ("no connection to the server", io::ErrorKind::NotConnected),
        HttpErrorKind::Timeout => ("the server did not answer in time", io::ErrorKind::TimedOut),
        HttpErrorKind::Interrupted | HttpErrorKind::Request => {
            ("the connection was lost", io::ErrorKind::ConnectionReset)
        }
        _ => ("the answer of the server could not be read", io::ErrorKind::Other),
    };
    // rustls: `Error::InvalidCertificate`.
    let is_untrusted = innermost.is_some_and(|why| why.contains("certificate"));
    let help = if is_untrusted {
        "this machine does not trust the server's certificate; SSL_CERT_FILE names a file with the authorities to trust"
    } else {
        "look at the address and at the network; a proxy is named by HTTPS_PROXY"
    };
    let what = innermost.map_or_else(|| what.to_owned(), |why| format!("{what}: {why}"));
    Fault::new(what).with_help(help).of_kind(kind)
}

/// The innermost reason of an error, where it is one of the operating system's or of TLS: those name no address.
pub(super) fn innermost(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    let mut last = None;
    while let Some(error) = next {
        last = reason_of(error).or(last);
        // What an I/O error wraps is not its source.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = wrapped.map(|inner| inner as &(dyn std::error::Error + 'static)).or_else(|| error.source());
    }
    last
}

fn reason_of(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(found) = error.downcast_ref::<rustls::Error>() {
        return Some(found.to_string());
    }
    let found = error.downcast_ref::<io::Error>()?;
    found.get_ref().is_none().then(|| found.to_string())
}

/// What an error of `object_store` means, after the last `answer`. Of its words, which quote what a server said, only the
/// server's code is taken.
pub(super) fn of_store(error: &object_store::Error, scheme: Scheme, answer: Answer) -> io::Error {
    use object_store::Error;
    let status = match error {
        Error::Precondition { .. } => return changed(),
        Error::NotFound { .. } => 404,
        Error::PermissionDenied { .. } => 403,
        Error::Unauthenticated { .. } => 401,
        Error::InvalidPath { .. } => {
            return Fault::new("there are names here that are no paths: with empty parts, or `.` or `..`")
                .of_kind(io::ErrorKind::InvalidData);
        }
        _ if answer.status >= 300 => answer.status,
        _ => 0,
    };
    if status != 0 {
        return Answer { status, code: code_in(&error.to_string()), ..answer }.fault(scheme);
    }
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(http) = error.downcast_ref::<HttpError>() {
            return transport(http.kind(), innermost(http).as_deref());
        }
        next = error.source();
    }
    Fault::new("the answer of the server could not be understood").of_kind(io::ErrorKind::InvalidData)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_body_only_its_code_is_taken() {
        let body = "<?xml?><Error><Code>SignatureDoesNotMatch</Code><StringToSign>AKIA/secret</StringToSign></Error>";
        assert_eq!(code_in(body).as_deref(), Some("SignatureDoesNotMatch"));
        assert_eq!(code_in("<Code>a b</Code>"), None);
        assert_eq!(code_in("<Code>x"), None);
    }

    #[test]
    fn what_to_do_depends_on_who_asks_and_whom() {
        let told = |status, code: &str, scheme, is_signed| {
            let code = Some(code.to_owned()).filter(|code| !code.is_empty());
            let error = crate::base::error::Error::io(
                Answer { status, code, region: None, is_signed }.fault(scheme),
                std::path::Path::new("x"),
            );
            format!("{error}: {}", error.help().unwrap_or_default())
        };
        assert!(
            told(403, "AccessDenied", Scheme::S3, false).contains("answers 403 (AccessDenied) (x): it is not public")
        );
        assert!(told(403, "AccessDenied", Scheme::S3, true).contains("s3:GetObject"));
        assert!(told(400, "UserProjectMissing", Scheme::Gs, true).contains("--billing-project"));
        assert!(told(503, "", Scheme::Web, false).contains("503 (busy)"));
    }
}
