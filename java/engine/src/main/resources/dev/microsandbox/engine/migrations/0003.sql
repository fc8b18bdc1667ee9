-- What administrators have set: how many sandboxes of a kind are kept ready.
CREATE TABLE pools (
  image TEXT NOT NULL,
  isolation TEXT NOT NULL,
  memory INTEGER NOT NULL,
  cpus REAL NOT NULL,
  processes INTEGER NOT NULL,
  disk INTEGER NOT NULL,
  minimum INTEGER NOT NULL,
  maximum INTEGER,
  PRIMARY KEY (image, isolation, memory, cpus, processes, disk)
) STRICT, WITHOUT ROWID;
