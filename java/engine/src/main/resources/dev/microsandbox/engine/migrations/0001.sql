-- Times are milliseconds since 1970, sizes bytes, maps JSON objects.
CREATE TABLE sandboxes (
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  image TEXT NOT NULL,
  image_digest TEXT NOT NULL,
  languages TEXT NOT NULL,
  isolation TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('starting', 'running', 'stopping', 'stopped', 'deleting')),
  memory INTEGER NOT NULL,
  cpus REAL NOT NULL,
  processes INTEGER NOT NULL,
  disk INTEGER NOT NULL,
  environment TEXT NOT NULL,
  labels TEXT NOT NULL,
  network TEXT NOT NULL,
  idle_timeout INTEGER NOT NULL,
  ephemeral INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  stopped_at INTEGER,
  expires_at INTEGER,
  end_reason TEXT,
  UNIQUE (owner, namespace, name)
) STRICT;

-- A block of host ids belongs to one sandbox as long as there is anything of it.
CREATE TABLE id_ranges (
  start INTEGER PRIMARY KEY,
  sandbox_id TEXT NOT NULL UNIQUE
) STRICT;

-- Every resource on the host, from before it is made until after it is gone.
CREATE TABLE journal (
  sandbox_id TEXT NOT NULL,
  resource TEXT NOT NULL CHECK (resource IN ('launch', 'disk')),
  isolation TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (sandbox_id, resource)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  owner TEXT NOT NULL,
  hash BLOB NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER,
  revoked_at INTEGER
) STRICT;
