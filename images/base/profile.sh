# A login shell begins with Debian's PATH; the sandbox user's own programs come first there too.
for folder in "$HOME/.local/bin" "$HOME/.npm-global/bin" "$HOME/.venv/bin"; do
  [ -d "$folder" ] && PATH="$folder:$PATH"
done
unset folder
