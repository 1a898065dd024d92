//! Brings up the loopback device of a network namespace, so that the processes of one job can
//! still talk to one another.

use std::io;

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, sendto,
    socket_with,
};

const RTM_NEWLINK: u16 = 16;
const NLM_F_REQUEST_AND_ACK: u16 = 0x0001 | 0x0004;
const NLMSG_ERROR: u16 = 2;
const IFF_UP: u32 = 1;
/// The loopback device is always the first of its namespace.
const LOOPBACK_INDEX: i32 = 1;
const MESSAGE_BYTES: u32 = 32;

/// Asks the kernel to bring the device up, and waits for its answer.
///
/// Source: `struct nlmsghdr` and `struct ifinfomsg` of rtnetlink(7).
pub(super) fn bring_up() -> io::Result<()> {
    // Protocol 0 of the netlink family is routing.
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    sendto(&socket, &request(), SendFlags::empty(), &netlink::SocketAddrNetlink::new(0, 0))?;
    let mut reply = [0u8; 1024];
    let (length, _) = recv(&socket, &mut reply[..], RecvFlags::empty())?;
    verdict(reply.get(..length).unwrap_or_default())
}

fn request() -> Vec<u8> {
    let mut message = Vec::new();
    message.extend(MESSAGE_BYTES.to_ne_bytes());
    message.extend(RTM_NEWLINK.to_ne_bytes());
    message.extend(NLM_F_REQUEST_AND_ACK.to_ne_bytes());
    message.extend(1u32.to_ne_bytes()); // sequence number
    message.extend(0u32.to_ne_bytes()); // port: the kernel fills it in
    message.extend([0u8, 0]); // family: any; padding
    message.extend(0u16.to_ne_bytes()); // device type: not looked at
    message.extend(LOOPBACK_INDEX.to_ne_bytes());
    message.extend(IFF_UP.to_ne_bytes());
    message.extend(IFF_UP.to_ne_bytes()); // the flag to change
    message
}

/// The reply is an error message whose number is zero when all went well.
fn verdict(reply: &[u8]) -> io::Result<()> {
    let kind = reply.get(4..6).and_then(|bytes| bytes.try_into().ok()).map(u16::from_ne_bytes);
    let code = reply.get(16..20).and_then(|bytes| bytes.try_into().ok()).map(i32::from_ne_bytes);
    match (kind, code) {
        (Some(NLMSG_ERROR), Some(0)) => Ok(()),
        (Some(NLMSG_ERROR), Some(code)) => Err(io::Error::from_raw_os_error(code.saturating_neg())),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "the kernel gave no verdict")),
    }
}
