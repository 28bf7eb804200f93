//! Where an invocation waits until its test lets it go on, so that no test sleeps.

use bytes::Bytes;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

pub(crate) struct Gate(TcpListener);

/// An invocation that waits; it goes on when this is dropped.
pub(crate) struct Waiting {
    pub(crate) pid: u32,
    _connection: TcpStream,
}

impl Gate {
    pub(crate) async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// Where it is.
    pub(crate) fn address(&self) -> String {
        self.0.local_addr().unwrap().to_string()
    }

    /// The payload that makes an invocation wait here: `gate` before its answer, `linger` after it.
    pub(crate) fn payload(&self, what: &str) -> Bytes {
        json!({"do": what, "gate": self.address()}).to_string().into()
    }

    /// The next invocation to arrive.
    pub(crate) async fn arrival(&self) -> Waiting {
        let (mut connection, _) = self.0.accept().await.unwrap();
        let mut pid = [0; 4];
        connection.read_exact(&mut pid).await.unwrap();
        Waiting { pid: u32::from_be_bytes(pid), _connection: connection }
    }
}
