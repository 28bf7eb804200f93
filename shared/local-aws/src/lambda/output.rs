//! What function processes print, line by line.
//! Not here: what a line means; it may be a structured log record or anything else.

use tokio::io::{AsyncRead, AsyncReadExt};

/// The longest line passed on in one piece: CloudWatch Logs' limit for one event.
/// Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>
const LINE_BYTES_MAX: usize = 1024 * 1024;

/// Where a process wrote a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// One line that a function process wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputLine {
    /// The function's name.
    pub function: String,
    /// The process that wrote it.
    pub pid: u32,
    /// Where it wrote.
    pub stream: Stream,
    /// The line without its end; bytes that are not UTF-8 are replaced.
    pub line: String,
    /// The invocation it had begun last; `None` during init.
    pub request_id: Option<String>,
}

/// Hands every line of `source` to `take`, until the source ends or fails.
pub(super) async fn read_lines(mut source: impl AsyncRead + Unpin, mut take: impl FnMut(String)) {
    let mut pending = Vec::new();
    let mut chunk = vec![0; 8 * 1024];
    loop {
        let read = match source.read(&mut chunk).await {
            Ok(0) | Err(_) => break,
            Ok(read) => read,
        };
        for piece in chunk[..read].split_inclusive(|byte| *byte == b'\n') {
            pending.extend_from_slice(piece);
            if piece.ends_with(b"\n") || pending.len() >= LINE_BYTES_MAX {
                take(line_from(&pending));
                pending.clear();
            }
        }
    }
    if !pending.is_empty() {
        take(line_from(&pending));
    }
}

fn line_from(bytes: &[u8]) -> String {
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    String::from_utf8_lossy(line).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines_of(source: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        read_lines(source, |line| lines.push(line)).await;
        lines
    }

    #[tokio::test]
    async fn lines_come_without_their_ends_and_the_last_needs_none() {
        assert_eq!(lines_of(b"one\ntwo\r\n\nthree").await, ["one", "two", "", "three"]);
        assert_eq!(lines_of(b"").await, Vec::<String>::new());
    }

    #[tokio::test]
    async fn bytes_that_are_not_text_do_not_stop_the_reader() {
        assert_eq!(lines_of(b"a\xffb\nc\n").await, ["a\u{fffd}b", "c"]);
    }

    #[tokio::test]
    async fn a_line_without_end_is_passed_on_in_pieces() {
        let endless = vec![b'x'; LINE_BYTES_MAX + 100_000];
        let lines = lines_of(&endless).await;
        assert_eq!(lines.len(), 2);
        assert_eq!(lines.iter().map(String::len).sum::<usize>(), endless.len());
    }
}
