import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The tests of the whole application run what was built. */
export default function built(): void {
  if (!existsSync(join(import.meta.dirname, '../../out/main/index.js'))) {
    throw new Error('nothing to test, run: npm run build');
  }
}
