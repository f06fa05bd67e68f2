/**
 * The schema of the library's database, as the steps that made it: entry n brings version n to
 * n + 1. A step that was released is never edited; changes are new steps.
 */
export const migrations: readonly string[] = [
  `
  -- sha256 of files that were read already; the other columns tell whether the file is still the same.
  CREATE TABLE hashes (
    path TEXT PRIMARY KEY,
    bytes INTEGER NOT NULL,
    mtime_ns TEXT NOT NULL,
    inode TEXT NOT NULL,
    sha256 TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Models used where they lie: shipped with Lathe or opened by the user. Imported ones carry
  -- their manifest in their own folder.
  CREATE TABLE opened (
    folder TEXT PRIMARY KEY,
    manifest TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    started_at INTEGER NOT NULL,
    -- The process that writes this run, to tell a run that goes on from one that broke off.
    owner TEXT NOT NULL,
    model TEXT NOT NULL,
    prompt_text TEXT NOT NULL,
    request TEXT NOT NULL,
    seed INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    context_length INTEGER NOT NULL,
    text TEXT NOT NULL,
    new_tokens INTEGER NOT NULL,
    finish TEXT,
    error TEXT,
    timing TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX runs_by_time ON runs (started_at DESC);

  -- Tokens as they came, one row per batch.
  CREATE TABLE run_tokens (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    first INTEGER NOT NULL,
    tokens TEXT NOT NULL,
    PRIMARY KEY (run, first)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE presets (
    name TEXT PRIMARY KEY,
    preset TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL,
    -- The process that has it in its queue or ran it last.
    owner TEXT NOT NULL,
    state TEXT NOT NULL,
    -- sha256 over the files of the model, which must be the same when the job is resumed.
    fingerprint TEXT NOT NULL,
    asked TEXT NOT NULL,
    job TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX jobs_by_time ON jobs (created_at DESC);

  CREATE TABLE recipes (
    name TEXT PRIMARY KEY,
    recipe TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Measurements of quality. model and base: sha256 over the files that decide what a model says.
  CREATE TABLE evaluations (
    id INTEGER PRIMARY KEY,
    metric TEXT NOT NULL,
    model TEXT NOT NULL,
    base TEXT NOT NULL,
    protocol TEXT NOT NULL,
    data TEXT NOT NULL,
    device TEXT NOT NULL,
    measured_at INTEGER NOT NULL,
    record TEXT NOT NULL
  ) STRICT;
  CREATE INDEX evaluations_by_key ON evaluations (model, metric, data, protocol);
  `,
  `
  -- Measurements of speed and memory. model: sha256 over the files that decide what a model says;
  -- name: what it was called then; request: as JSON.
  CREATE TABLE benches (
    id INTEGER PRIMARY KEY,
    model TEXT NOT NULL,
    name TEXT NOT NULL,
    request TEXT NOT NULL,
    device TEXT NOT NULL,
    measured_at INTEGER NOT NULL,
    record TEXT NOT NULL
  ) STRICT;
  CREATE INDEX benches_by_name ON benches (name, measured_at DESC);
  `,
  `
  -- Times from token to token, as JSON in the order they came: lists do without them. What is told
  -- of them goes into the record: the mean, and the middle 95 % of every percentile by the ranks
  -- beside it (1.96 standard deviations of the binomial distribution).
  ALTER TABLE benches ADD COLUMN samples TEXT NOT NULL DEFAULT '[]';
  UPDATE benches SET samples = json_extract(record, '$.decodeMs')
    WHERE json_type(record, '$.decodeMs') = 'array';
  UPDATE benches SET record = json_set(
    json_remove(record, '$.decodeMs'),
    '$.decode.mean', (SELECT avg(value) FROM json_each(samples)),
    '$.decode.ci95', json((
      WITH
        ranked AS (
          SELECT value, row_number() OVER (ORDER BY value) - 1 AS rank, count(*) OVER () AS n
          FROM json_each(samples)
        ),
        shares (name, share) AS (
          VALUES ('p50', 0.5), ('p90', 0.9), ('p99', 0.99), ('p999', 0.999)
        ),
        bounds AS (
          SELECT
            name,
            max(value) FILTER (WHERE rank < n * share) AS low,
            min(value) FILTER (WHERE rank > n * share) AS high
          FROM ranked, shares
          WHERE (rank - n * share) * (rank - n * share) >= 1.96 * 1.96 * n * share * (1 - share)
          GROUP BY name
        )
      SELECT json_group_object(name, json_array(low, high)) FROM bounds
      WHERE low IS NOT NULL AND high IS NOT NULL
        AND json_type(record, '$.decode.' || name) IS NOT NULL
    ))
  ) WHERE samples <> '[]';
  UPDATE jobs SET job = json_remove(job, '$.result.decodeMs')
    WHERE json_extract(job, '$.kind') = 'bench';
  `,
];
