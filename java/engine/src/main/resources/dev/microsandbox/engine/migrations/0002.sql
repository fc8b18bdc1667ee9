-- What a later server needs to take hold of a sandbox that runs; kept as long as its processes are.
CREATE TABLE footholds (
  sandbox_id TEXT PRIMARY KEY,
  first_process TEXT NOT NULL,
  agent_boot_id TEXT NOT NULL,
  oom_kills INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Cells and commands under way. Written behind them: one may be missing yet, or over already.
CREATE TABLE runs (
  sandbox_id TEXT NOT NULL,
  id TEXT NOT NULL,
  context TEXT,
  keep_running INTEGER NOT NULL,
  began_at INTEGER NOT NULL,
  deadline INTEGER,
  oom_kills INTEGER NOT NULL,
  PRIMARY KEY (sandbox_id, id)
) STRICT, WITHOUT ROWID;
