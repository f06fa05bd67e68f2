import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createCodec } from './codec.ts';
import { createLink, runIsolatedWorld, runMainWorld } from './page.ts';

const codec = String(createCodec);
const link = String(createLink);

/** The scripts of a new document: for the page's own world, and for the preload script's. */
export function worldScripts(preloadPath: string | undefined): {
  mainWorld: string;
  isolatedWorld: string;
} {
  const preload = preloadPath === undefined ? '' : readFileSync(preloadPath, 'utf8');
  const [page, isolated, closing] = [randomUUID(), randomUUID(), randomUUID()].map((id) =>
    JSON.stringify(id),
  );
  return {
    mainWorld: `(${String(runMainWorld)})((${link})(${page}, ${isolated}, ${codec}), ${closing});`,
    isolatedWorld: `if (window === window.top) {
      const createCodec = ${codec};
      (${String(runIsolatedWorld)})(
        (${link})(${isolated}, ${page}, createCodec),
        createCodec(),
        ${closing},
        (require, process, module = { exports: {} }, exports = module.exports) => {${preload}\n},
      );
    }`,
  };
}
