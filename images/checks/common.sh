# What both images promise.

USUAL_SETUID='chfn chsh gpasswd mount newgrp passwd su umount'

setuid_programs() { find "$SCRATCH/image" -xdev -perm /4000 -printf '%f\n' | sort | paste -sd ' '; }

plain_folders() {
  local folder
  for folder in dev proc sys run tmp .msb; do
    [ "$(stat --format=%F "$SCRATCH/image/$folder")" = directory ] || { echo "$folder is none"; return 1; }
    [ -z "$(ls -A "$SCRATCH/image/$folder")" ] || { echo "$folder is not empty"; return 1; }
  done
}

plain_files() {
  local file
  for file in resolv.conf hosts hostname machine-id; do
    [ "$(stat --format=%F "$SCRATCH/image/etc/$file" | cut -d ' ' -f 1)" = regular ] || { echo "$file is no plain file"; return 1; }
  done
  [ ! -s "$SCRATCH/image/etc/machine-id" ]
}

no_leftovers() {
  local found
  found=$(find "$SCRATCH/image"/{tmp,run,var/tmp,var/log,var/lib/apt/lists,var/cache/apt} -type f)
  [ -z "$found" ] || { echo "$found"; return 1; }
}

usual_tools() {
  local tool
  for tool in bash ls ps less nano git curl wget unzip zip xz bzip2 gzip zstd tar file patch find grep sed awk pkill; do
    inside sandbox sh -c "command -v $tool" >/dev/null || { echo "no $tool"; return 1; }
  done
}

apt_installs() { inside root sh -c 'apt-get -qq update && apt-get -qq -y install tree && tree --version'; }

check "the user sandbox is uid and gid 1000" prints '^uid=1000\(sandbox\) gid=1000\(sandbox\) groups=1000\(sandbox\)$' inside sandbox id
check "its home is /home/sandbox and its own" prints '^1000:1000 /home/sandbox$' inside sandbox sh -c 'echo $(stat --format=%u:%g .) $(pwd)'
check "no setuid programs beyond the usual" test "$(setuid_programs)" = "$USUAL_SETUID"
check "no device nodes, sockets or pipes" test -z "$(find "$SCRATCH/image" -xdev \( -type b -o -type c -o -type p -o -type s \))"
check "mount points are empty folders" plain_folders
check "files that the agent writes are plain, and the machine id is empty" plain_files
check "no package lists, caches, logs or temporary files" no_leftovers
check "the usual tools are there" usual_tools
check "git works" inside sandbox git init -q /tmp/repository
check "a login shell finds the same programs first" prints "^/home/sandbox|^/usr/local" inside sandbox bash -lc "command -v $NAME"
check "text is UTF-8" prints '^UTF-8$' inside sandbox locale charmap
if answers "$(sed -n 's/^URIs: //p' "$SCRATCH/image/etc/apt/sources.list.d/debian.sources" | head -n 1)/dists/trixie/InRelease"; then
  check "root installs a Debian package with a sandbox's few capabilities" prints 'tree v' apt_installs
else
  left_out "apt-get install as root" "the Debian archive does not answer"
fi
