# What microsandbox/node promises.

NODE_VERSION=$(sed -n 's/^NODE_VERSION=//p' "$HERE/versions.lock")
NPM_VERSION=$(sed -n 's/^NPM_VERSION=//p' "$HERE/versions.lock")

npm_installs() {
  inside sandbox sh -c "mkdir -p /tmp/p && cd /tmp/p && npm install --fetch-retries 1 --registry '$1' left-pad && node -p 'require(\"left-pad\")(7, 3, 0)'"
}

npm_installs_globally() {
  inside sandbox npm install --fetch-retries 1 --registry "$1" -g left-pad && inside sandbox sh -c 'cd / && node -p "require.resolve(\"left-pad\")"'
}

check "node is the pinned version" prints "^v${NODE_VERSION//./\\.}\$" inside sandbox node --version
check "it is a long-term release" prints '^[A-Z]' inside sandbox node -p 'process.release.lts || ""'
check "npm is the pinned version" prints "^${NPM_VERSION//./\\.}\$" inside sandbox npm --version
check "npx runs" inside sandbox npx --version
check "npm's global prefix is the user's own" prints '^/home/sandbox/.npm-global$' inside sandbox npm prefix -g
check "root's is /usr/local" prints '^/usr/local$' inside root npm prefix -g
registry=${npm_config_registry:-$(npm config get registry 2>/dev/null || echo https://registry.npmjs.org)}
if answers "${registry%/}/left-pad"; then
  check "npm installs without root, and require finds it" prints '007' npm_installs "$registry"
  check "and globally" prints '/home/sandbox/.npm-global/.*left-pad' npm_installs_globally "$registry"
else
  left_out "npm install" "the registry does not answer"
fi
