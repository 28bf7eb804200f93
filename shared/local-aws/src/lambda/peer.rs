//! Which of our processes holds a TCP connection, told by the connection's address on its side.
//! Not here: what is done with that process ([`super::function`]).
//! Source: proc(5), `/proc/pid/net/tcp` and `/proc/pid/fd`. A system without them is no error: nobody is found.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

/// The process among `pids` whose socket has the local address `peer`. IPv4 only, as all listeners here are.
pub(super) fn holder(peer: SocketAddr, pids: &[u32]) -> Option<u32> {
    let SocketAddr::V4(peer) = peer else { return None };
    let table = fs::read_to_string("/proc/self/net/tcp").ok()?;
    let link = format!("socket:[{}]", inode(&table, peer)?);
    pids.iter().copied().find(|pid| holds(*pid, &link))
}

fn holds(pid: u32, link: &str) -> bool {
    let Ok(open) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    // A descriptor may be closed while we look.
    open.flatten().any(|entry| fs::read_link(entry.path()).is_ok_and(|target| target.as_os_str() == link))
}

/// The inode of the socket whose local address is `local`: the tenth field of its line; the second is the address.
fn inode(table: &str, local: SocketAddrV4) -> Option<&str> {
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let address = fields.nth(1)?;
        // A socket without a file, such as one in TIME_WAIT, has inode 0.
        let inode = fields.nth(7).filter(|inode| *inode != "0")?;
        (parse(address)? == local).then_some(inode)
    })
}

/// Reads `0100007F:11D6`: the address in hex in this machine's byte order, then the port.
fn parse(address: &str) -> Option<SocketAddrV4> {
    let (ip, port) = address.split_once(':')?;
    let ip = u32::from_str_radix(ip, 16).ok()?.to_ne_bytes();
    Some(SocketAddrV4::new(Ipv4Addr::from(ip), u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_endian = "little")]
    #[test]
    fn the_socket_of_an_address_is_found_in_the_table_of_proc() {
        let table = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:11D6 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 20001 1 0000000000000000 100 0 0 10 0
   1: 0100007F:11D6 0100007F:A2C4 01 00000000:00000000 00:00000000 00000000  1000        0 20002 1 0000000000000000 20 4 30 10 -1
   2: 0100007F:A2C4 0100007F:11D6 01 00000000:00000000 02:000003F2 00000000  1000        0 20003 2 0000000000000000 20 4 30 10 -1
   3: 0100007F:A2C6 0100007F:11D6 06 00000000:00000000 03:000012F2 00000000     0        0 0 3 0000000000000000
";
        let at = |port| SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
        assert_eq!(inode(table, at(0xA2C4)), Some("20003"), "the client's end, not the server's");
        assert_eq!(inode(table, at(0xA2C6)), None, "closed");
        assert_eq!(inode(table, at(0xA2C8)), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_process_that_holds_a_connection_is_found() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (_server, peer) = listener.accept().unwrap();
        let mine = std::process::id();
        assert_eq!(holder(peer, &[1, mine]), Some(mine));
        assert_eq!(holder(peer, &[]), None);
        drop(client);
        assert_eq!(holder(peer, &[mine]), None);
    }
}
