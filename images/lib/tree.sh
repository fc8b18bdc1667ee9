# Working on a root filesystem as a folder.

mount_tree() {
  mount -t proc -o nosuid,nodev,noexec proc "$1/proc"
  mount -t tmpfs -o mode=755,nosuid tmpfs "$1/dev"
  local device
  for device in null zero full random urandom tty; do
    : >"$1/dev/$device"
    mount --bind "/dev/$device" "$1/dev/$device"
  done
  ln -s /proc/self/fd "$1/dev/fd"
  mkdir -m 1777 "$1/dev/shm"
}

# The last mounted goes first. Lazily: a daemon that a package started would hold it otherwise.
umount_below() {
  local point
  while IFS= read -r point; do umount --lazy "$point" 2>/dev/null || true; done < <(
    cut -d ' ' -f 5 /proc/self/mountinfo | grep -F "$1/" | sort -r)
}

# in_tree ROOT SCRIPT ARGUMENTS...: runs a recipe's script inside, with nothing of the host's environment.
in_tree() {
  local root=$1 script=$2 status=0
  shift 2
  mount_tree "$root"
  install -m 755 "$script" "$root/.setup"
  chroot "$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    PYTHONHASHSEED=0 /.setup "$@" || status=$?
  rm -f "$root/.setup"
  umount_below "$root"
  return $status
}

# install_packages ROOT NAMES...: apt runs outside, where the network and its settings are, and dpkg inside.
install_packages() {
  local root=$1 status=0
  shift
  {
    host_apt_configuration
    echo "Dir \"$root\"; DPkg::Chroot-Directory \"$root\"; APT::Architecture \"$(architecture)\";"
    echo "Dir::Etc::sourcelist \"$WORK/apt.sources.list\"; Dir::Etc::sourceparts \"$WORK/apt.sources.d\";"
    echo 'APT::Sandbox::User "root"; APT::Install-Recommends "false"; Acquire::Languages "none";'
    # Packages' scripts, inside, must not see a configuration that is outside.
    echo 'Dir::Bin::dpkg "env"; DPkg::Options { "--unset=APT_CONFIG"; "dpkg"; };'
  } >"$WORK/apt.conf"
  mkdir -p "$WORK/apt.sources.d"
  sources "$MIRROR" "$SECURITY" >"$WORK/apt.sources.d/debian.sources"
  mount_tree "$root"
  {
    export APT_CONFIG=$WORK/apt.conf DEBIAN_FRONTEND=noninteractive
    apt-get --quiet update && apt-get --quiet --yes install "$@"
  } || status=$?
  unset APT_CONFIG
  umount_below "$root"
  return $status
}

# settle_tree ROOT: removes what the build left and what differs from build to build, then fixes all times.
settle_tree() {
  local root=$1 epoch
  rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/log/* "$root"/tmp/* "$root"/var/tmp/* "$root"/run/* \
    "$root"/var/cache/ldconfig/aux-cache "$root"/var/cache/debconf/*-old "$root"/var/lib/dpkg/*-old "$root"/var/backups/* \
    "$root"/etc/{passwd,group,shadow,gshadow,subuid,subgid}- "$root"/etc/.pwd.lock "$root"/var/lib/systemd "$root"/root/.cache "$root"/boot/*
  mkdir -p "$root/var/lib/apt/lists/partial" "$root/var/cache/apt/archives/partial" "$root/var/log/apt" "$root/.msb"
  # Older mmdebstraps make aliases of library folders that this Debian does not have.
  [ -d "$root/usr/lib32" ] || rm -f "$root/lib32"
  [ -d "$root/usr/libx32" ] || rm -f "$root/libx32"
  rm -rf "$root/dev" && mkdir -m 755 "$root/dev"
  # The agent writes these at each start; they must be plain files to be written over.
  rm -f "$root"/etc/{resolv.conf,hosts,hostname,machine-id} "$root/var/lib/dbus/machine-id"
  : >"$root/etc/resolv.conf"
  : >"$root/etc/machine-id"
  echo sandbox >"$root/etc/hostname"
  printf '127.0.0.1\tlocalhost sandbox\n::1\tlocalhost ip6-localhost ip6-loopback\n' >"$root/etc/hosts"
  # The date of the last password change is the day of the build.
  sed -i -E 's/^([^:]*:[^:]*):[0-9]*:/\1:20000:/' "$root/etc/shadow"
  epoch=$(newest_packaged_file "$root")
  find "$root" -xdev -newermt "@$epoch" -exec touch --no-dereference --date="@$epoch" {} +
  echo "$epoch" >"$WORK/epoch"
}

# The latest time of any file that a package brought: the same for the same packages, and older than none of them, so
# that holding every time down to it leaves compiled Python files matching their sources.
newest_packaged_file() {
  (cd "$1" && cat var/lib/dpkg/info/*.md5sums | sed 's/^[0-9a-f]*  //' | tr '\n' '\0' |
    xargs -0 stat --format=%Y 2>/dev/null || true) | sort -n | tail -n 1
}
