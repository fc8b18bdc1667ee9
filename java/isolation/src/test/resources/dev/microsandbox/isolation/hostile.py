"""Tries what hostile code tries, and prints a line for each attempt: its number in the table, what it was, what
came of it, and HELD or BROKEN. Run inside a sandbox, as the user that tenant code has and as root."""

import ctypes
import errno
import fcntl
import os
import platform
import socket
import struct

libc = ctypes.CDLL(None, use_errno=True)
ROOT = os.getuid() == 0
X86 = platform.machine() == "x86_64"
REFUSED = {"EPERM", "ENOSYS"}
PATH = b"/tmp"


def name(number):
    return errno.errorcode.get(number, str(number))


def syscall(x86, arm, *arguments):
    number = x86 if X86 else arm
    if number is None:
        return "ENOSYS"
    ctypes.set_errno(0)
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = libc.syscall(ctypes.c_long(number), *words)
    return "ok" if result >= 0 else name(ctypes.get_errno())


def attempt(action):
    try:
        result = action()
        return "ok" if result is None else str(result)
    except OSError as e:
        return name(e.errno)


def told(row, what, outcome, allowed):
    print(row, what, outcome, "HELD" if outcome in allowed else "BROKEN", sep="\t", flush=True)


def write(path, text):
    def action():
        with open(path, "w") as file:
            file.write(text)
    return attempt(action)


def content(path):
    """How much can be read: nothing is as good as a refusal."""
    def action():
        with open(path, "rb") as file:
            return "empty" if not file.read(64).strip(b"\0") else "content"
    return attempt(action)


def listing(path):
    return attempt(lambda: "empty" if not os.listdir(path) else "content")


def sandboxed_fork(action):
    """In a child, for what would change this process."""
    read, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(write_end, action().encode())
        os._exit(0)
    os.close(write_end)
    answer = os.read(read, 100).decode()
    os.waitpid(pid, 0)
    return answer or "died"


# 8: the kernel's switches
SEALED = {"EROFS", "EPERM", "EACCES", "ENOENT"}
for path, text in [
    ("/proc/sys/kernel/core_pattern", "|/tmp/x"),
    ("/proc/sys/kernel/modprobe", "/tmp/x"),
    ("/proc/sys/vm/panic_on_oom", "1"),
    ("/proc/sys/net/ipv4/ip_forward", "1"),
    ("/proc/sysrq-trigger", "c"),
    ("/sys/kernel/uevent_helper", "/tmp/x"),
    ("/sys/devices/system/cpu/cpu0/online", "0"),
    ("/proc/self/oom_score_adj", "-1000"),
    ("/proc/1/oom_score_adj", "-1000"),
    ("/proc/self/uid_map", "0 0 1"),
]:
    told(8, "write " + path, write(path, text), SEALED)
told(8, "a cgroup tree is mounted", str(any(line.split()[2].startswith("cgroup") for line in open("/proc/mounts"))), {"False"})

# 9: the host's secrets
HIDDEN = {"EACCES", "EPERM", "ENOENT", "empty", "EISDIR"}
for path in ["/proc/kcore", "/proc/kallsyms", "/proc/kmsg", "/dev/kmsg", "/proc/1/environ", "/proc/1/mem", "/proc/keys", "/proc/timer_list", "/proc/modules"]:
    told(9, "read " + path, content(path), HIDDEN)
for path in ["/sys/firmware", "/sys/kernel", "/sys/class", "/proc/1/root/root", "/proc/1/cwd", "/proc/1/map_files"]:
    told(9, "list " + path, listing(path), HIDDEN)
for number in range(8):
    told(9, "the agent's descriptor %d" % number, attempt(lambda: os.readlink("/proc/1/fd/%d" % number)), HIDDEN)
told(9, "dmesg", syscall(103, 116, 3, ctypes.create_string_buffer(100), 100), REFUSED)
others = [p for p in os.listdir("/proc") if p.isdigit() and int(p) > 100000]
told(9, "processes with the host's numbers", str(len(others)), {"0"})

# 10: other views of the file system, other namespaces
told(10, "mount", syscall(165, 40, b"none", PATH, b"tmpfs", 0, None), REFUSED)
told(10, "bind mount", syscall(165, 40, b"/etc", PATH, None, 4096, None), REFUSED)
told(10, "umount", syscall(166, 39, b"/proc", 2), REFUSED)
told(10, "pivot_root", syscall(155, 41, PATH, PATH), REFUSED)
told(10, "chroot", syscall(161, 51, PATH), REFUSED)
told(10, "open_tree", syscall(428, 428, -100, PATH, 1), REFUSED)
told(10, "move_mount", syscall(429, 429, -1, b"", -100, PATH, 4), REFUSED)
told(10, "fsopen", syscall(430, 430, b"tmpfs", 0), REFUSED)
told(10, "fsmount", syscall(432, 432, -1, 0, 0), REFUSED)
told(10, "mount_setattr", syscall(442, 442, -100, PATH, 0, None, 0), REFUSED)
told(10, "setns", syscall(308, 268, os.open("/proc/self/ns/net", os.O_RDONLY), 0), REFUSED)
for flag, what in [(0x10000000, "user"), (0x20000, "mount"), (0x40000000, "network"), (0x20000000, "pid")]:
    told(10, "unshare " + what, sandboxed_fork(lambda: syscall(272, 97, flag)), REFUSED)
    told(10, "clone " + what, sandboxed_fork(lambda: syscall(56, 220, flag | 17, 0, 0, 0, 0)), REFUSED)
told(10, "clone3", syscall(435, 435, None, 0), {"ENOSYS"})

# 11: the agent
told(11, "ptrace attach to the agent", syscall(101, 117, 16, 1, 0, 0), REFUSED)
told(11, "ptrace seize the agent", syscall(101, 117, 0x4206, 1, 0, 0), REFUSED)
buffer = ctypes.create_string_buffer(64)
vector = struct.pack("QQ", ctypes.addressof(buffer), 64)
told(11, "process_vm_readv of the agent", syscall(310, 270, 1, vector, 1, vector, 1, 0), REFUSED)
pidfd = libc.syscall(434, 1, 0)
told(11, "pidfd_getfd", syscall(438, 438, pidfd, 0, 0), REFUSED)
told(11, "kcmp", syscall(312, 272, os.getpid(), 1, 0, 0, 0), REFUSED)
told(11, "kill the agent", attempt(lambda: os.kill(1, 0)) if not ROOT else "root may", {"EPERM", "root may"})

# 12: rare system calls
for what, x86, arm, arguments in [
    ("keyctl", 250, 219, (0, -1, 0)),
    ("add_key", 248, 217, (b"user", b"a", b"b", 1, -1)),
    ("request_key", 249, 218, (b"user", b"a", None, -1)),
    ("bpf", 321, 280, (0, None, 0)),
    ("perf_event_open", 298, 241, (None, 0, -1, -1, 0)),
    ("userfaultfd", 323, 282, (0,)),
    ("io_uring_setup", 425, 425, (1, None)),
    ("io_uring_enter", 426, 426, (0, 0, 0, 0, None, 0)),
    ("io_uring_register", 427, 427, (0, 0, None, 0)),
    ("kexec_load", 246, 104, (0, 0, None, 0)),
    ("kexec_file_load", 320, 294, (-1, -1, 0, None, 0)),
    ("init_module", 175, 105, (None, 0, b"")),
    ("finit_module", 313, 273, (-1, b"", 0)),
    ("delete_module", 176, 106, (b"x", 0)),
    ("open_by_handle_at", 304, 265, (-1, None, 0)),
    ("name_to_handle_at", 303, 264, (-100, PATH, None, None, 0)),
    ("quotactl", 179, 60, (0, None, 0, None)),
    ("acct", 163, 89, (None,)),
    ("swapon", 167, 224, (PATH, 0)),
    ("swapoff", 168, 225, (PATH,)),
    ("reboot", 169, 142, (0xFEE1DEAD, 672274793, 0, None)),
    ("iopl", 172, None, (3,)),
    ("ioperm", 173, None, (0, 1, 1)),
    ("modify_ldt", 154, None, (0, None, 0)),
    ("personality", 135, 92, (0x0400000,)),
    ("nfsservctl", 180, 42, (0, None, None)),
    ("lookup_dcookie", 212, 18, (0, None, 0)),
    ("settimeofday", 164, 170, (None, None)),
    ("clock_settime", 227, 112, (0, None)),
    ("adjtimex", 159, 171, (None,)),
    ("sethostname", 170, 161, (b"x", 1)),
    ("vhangup", 153, 58, ()),
    ("memfd_secret", 447, 447, (0,)),
    ("fanotify_init", 300, 262, (0, 0)),
    ("syslog", 103, 116, (10, None, 0)),
    ("mbind", 237, 235, (0, 0, 0, 0, 0, 0)),
    ("move_pages", 279, 239, (0, 0, None, None, None, 0)),
]:
    told(12, what, syscall(x86, arm, *arguments), REFUSED)

# 13: the network's lower floors
BLOCKED = {"EPERM", "EAFNOSUPPORT", "EPROTONOSUPPORT", "EACCES", "ENOSYS"}
for what, family, kind, protocol in [
    ("AF_PACKET", 17, socket.SOCK_RAW, 3),
    ("AF_VSOCK", 40, socket.SOCK_STREAM, 0),
    ("AF_ALG", 38, socket.SOCK_SEQPACKET, 0),
    ("AF_BLUETOOTH", 31, socket.SOCK_RAW, 0),
    ("AF_XDP", 44, socket.SOCK_RAW, 0),
    ("raw IPv4", 2, socket.SOCK_RAW, 1),
    ("raw IPv6", 10, socket.SOCK_RAW, 58),
    ("netfilter netlink", 16, socket.SOCK_RAW, 12),
    ("audit netlink", 16, socket.SOCK_RAW, 9),
    ("a family beyond 32 bits", 17 | 1 << 32, socket.SOCK_RAW, 3),
]:
    told(13, what, syscall(41, 198, family, kind, protocol), BLOCKED)


def change_interface():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, 0x8914, struct.pack("16sH22x", b"lo", 0))  # SIOCSIFFLAGS


def change_routes():
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as routes:
        body = struct.pack("BBBBBBBBI", 2, 0, 0, 0, 254, 4, 0, 1, 0)
        routes.send(struct.pack("IHHII", 16 + len(body), 24, 0x505, 1, 0) + body)
        answer = routes.recv(4096)
        raise OSError(-struct.unpack_from("i", answer, 16)[0], "answer")


told(13, "take the loopback down", attempt(change_interface), {"EPERM"})
told(13, "add a route", attempt(change_routes), {"EPERM"})
told(13, "interfaces", ",".join(sorted(n for _, n in socket.if_nameindex() if not n.startswith(("lo", "tun", "msb")))), {""})

# 23: gaining privileges
status = dict(line.rstrip("\n").split(":\t", 1) for line in open("/proc/self/status") if ":\t" in line)
told(23, "no new privileges", status["NoNewPrivs"], {"1"})
told(23, "seccomp filter", status["Seccomp"], {"2"})
told(23, "effective capabilities", status["CapEff"].lstrip("0"), {"fb"} if ROOT else {""})
told(23, "bounding capabilities", status["CapBnd"].lstrip("0"), {"fb"} if ROOT else {""})
told(23, "ambient capabilities", status["CapAmb"].lstrip("0"), {""})
told(23, "setuid(0)", "root is" if ROOT else attempt(lambda: os.setuid(0)), {"EPERM", "root is"})

# 31: devices
GONE = {"ENOENT", "EACCES", "EPERM", "ENXIO"}
for device in ["mem", "port", "kvm", "fuse", "loop-control", "loop0", "vda", "sda", "nvme0n1", "vhost-vsock", "vhost-net", "dri/card0", "nvidia0", "mapper/control", "hwrng", "vfio/vfio"]:
    told(31, "/dev/" + device, attempt(lambda: os.close(os.open("/dev/" + device, os.O_RDONLY))), GONE)
for what, major, minor in [("mem", 1, 1), ("disk", 254, 0), ("tun", 10, 200), ("kvm", 10, 232)]:
    for folder in ["/tmp", "/home/sandbox", "/dev/shm"]:
        mode = 0o020666 if what != "disk" else 0o060666
        told(31, "mknod " + folder + "/" + what, attempt(lambda: os.mknod(folder + "/evil-" + what, mode, os.makedev(major, minor))), GONE)


def take_tun():
    device = os.open("/dev/net/tun", os.O_RDWR)
    try:
        fcntl.ioctl(device, 0x400454CA, struct.pack("16sH22x", b"evil0", 0x1001))  # TUNSETIFF
    finally:
        os.close(device)


told(31, "a TUN interface of one's own", attempt(take_tun), GONE)
