//! The calls that have no safe form: naming and keeping a TUN device, and telling the allocator to give large buffers back.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Makes the open `/dev/net/tun` the TUN device `name`, carrying bare IP packets.
pub(crate) fn become_tun(fd: BorrowedFd<'_>, name: &str) -> io::Result<()> {
    // SAFETY: ifreq is plain data for which all zeroes is a valid value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    if name.len() >= request.ifr_name.len() {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
    // SAFETY: TUNSETIFF reads and writes one ifreq, which outlives the call; the descriptor is borrowed, hence open.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), libc::TUNSETIFF as _, &mut request) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Leaves the TUN device to its network namespace, which removes it in the background when it ends. Otherwise closing the
/// device removes it, and waits some 20 ms until no processor can be using it any more.
pub(crate) fn keep_tun(fd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: TUNSETPERSIST takes a number, not a pointer; the descriptor is borrowed, hence open.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), libc::TUNSETPERSIST as _, 1) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Has every allocation of 32 KiB and more mapped by itself, so that freeing a connection's buffers returns their
/// memory to the kernel. Without it glibc raises that threshold as it sees large blocks freed, keeps them on its heap,
/// and a burst of 1,000 connections leaves hundreds of megabytes behind.
pub fn return_large_buffers() {
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt only stores two numbers; it is documented for use before other threads allocate.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 32 * 1024);
    }
}
