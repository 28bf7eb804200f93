//! Taking a port, and saying who has it when it is taken.

use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::TcpListener;

/// Listens on this port of the loopback interface.
///
/// # Errors
/// A sentence that names the port's holder, if it can be found out, and the flag that chooses another port.
pub(crate) async fn listen(port: u16, flag: &str) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).await.map_err(|error| {
        if error.kind() != std::io::ErrorKind::AddrInUse {
            return anyhow::anyhow!(
                "port {port} cannot be opened: {error}. Choose another: cargo run -- --{flag} {}",
                port + 10
            );
        }
        let holder = holder(port).unwrap_or_else(|| "another program".to_owned());
        anyhow::anyhow!(
            "port {port} is held by {holder}. Stop it, or choose another: cargo run -- --{flag} {}",
            port + 10
        )
    })
}

/// The process that listens on a port, as `pid 812 (node)`. Linux only, and only for processes that we may look at.
fn holder(port: u16) -> Option<String> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"].iter().find_map(|table| {
        let table = std::fs::read_to_string(table).ok()?;
        table.lines().skip(1).find_map(|line| listening_inode(line, port)).map(str::to_owned)
    })?;
    let wanted = format!("socket:[{inode}]");
    for process in std::fs::read_dir("/proc").ok()?.flatten() {
        let name = process.file_name();
        let Some(pid) = name.to_str().filter(|name| name.bytes().all(|b| b.is_ascii_digit())) else { continue };
        let Ok(files) = std::fs::read_dir(process.path().join("fd")) else { continue };
        let holds = |file: &std::fs::DirEntry| {
            std::fs::read_link(file.path()).is_ok_and(|target| target.to_str() == Some(wanted.as_str()))
        };
        if files.flatten().any(|file| holds(&file)) {
            let command = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(format!("pid {pid} ({})", command.trim()));
        }
    }
    None
}

/// The inode in a line of `/proc/net/tcp`, if the line is about a socket that listens on this port.
fn listening_inode(line: &str, port: u16) -> Option<&str> {
    const LISTEN: &str = "0A";
    let fields: Vec<&str> = line.split_whitespace().collect();
    let local = fields.get(1)?.rsplit(':').next()?;
    (u16::from_str_radix(local, 16) == Ok(port) && fields.get(3) == Some(&LISTEN)).then(|| fields.get(9).copied())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_names_its_holder_and_the_flag() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = listen(port, "app-port").await.unwrap_err().to_string();
        assert!(error.contains(&format!("port {port} is held by")), "{error}");
        assert!(error.contains("--app-port"), "{error}");
        if cfg!(target_os = "linux") {
            assert!(error.contains(&format!("pid {} (", std::process::id())), "{error}");
        }
    }
}
