import { chmodSync } from 'node:fs';

const nobody = 65_534;

/** Does something as a user who may not read a path; root may read everything, so as nobody. */
export function withoutRights<T>(path: string, work: () => T): T {
  const { geteuid, seteuid } = process;
  const user = geteuid?.();
  chmodSync(path, 0);
  if (user === 0) seteuid?.(nobody);
  try {
    return work();
  } finally {
    if (user === 0) seteuid?.(user);
    chmodSync(path, 0o755);
  }
}
