package dev.microsandbox.linux;

/// The system calls that this module makes, with their numbers on x86_64 and aarch64.
enum Syscall {
  READ(0, 63),
  PREAD64(17, 67),
  WRITE(1, 64),
  CLOSE(3, 57),
  LSEEK(8, 62),
  IOCTL(16, 29),
  GETSOCKOPT(55, 209),
  KILL(62, 129),
  FCNTL(72, 25),
  FTRUNCATE(77, 46),
  CHDIR(80, 49),
  SETFSUID(122, 151),
  SETFSGID(123, 152),
  PRCTL(157, 167),
  SETHOSTNAME(170, 161),
  GETTID(186, 178),
  WAITID(247, 95),
  OPENAT(257, 56),
  MKNODAT(259, 33),
  FCHOWNAT(260, 54),
  PPOLL(271, 73),
  UNSHARE(272, 97),
  EVENTFD2(290, 19),
  PIPE2(293, 59),
  SETNS(308, 268),
  COPY_FILE_RANGE(326, 285),
  MOUNT(165, 40),
  UMOUNT2(166, 39),
  STATX(332, 291),
  PIDFD_SEND_SIGNAL(424),
  OPEN_TREE(428),
  MOVE_MOUNT(429),
  FSOPEN(430),
  FSCONFIG(431),
  FSMOUNT(432),
  PIDFD_OPEN(434),
  MOUNT_SETATTR(442);

  private static final boolean AARCH64 = "aarch64".equals(System.getProperty("os.arch"));

  private final int x86;
  private final int arm;

  Syscall(int x86, int arm) {
    this.x86 = x86;
    this.arm = arm;
  }

  /// From 424 on all architectures share their numbers.
  Syscall(int both) {
    this(both, both);
  }

  long number() {
    return AARCH64 ? arm : x86;
  }
}
