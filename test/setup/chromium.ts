import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chromium } from '@playwright/test';

/** Where a Chromium may be, best first: what was asked for, the system's own, Playwright's. */
function candidates(): string[] {
  const asked = process.env['CHROMIUM'];
  return [...(asked ? [asked] : []), '/usr/bin/chromium', chromium.executablePath()];
}

/** The Chromium that tests and the Electron stand-in use; throws when there is none. */
export function chromiumPath(): string {
  const found = candidates().find((path) => existsSync(path));
  if (found === undefined) {
    throw new Error(
      `no Chromium found, run: node test/setup/chromium.ts (${candidates().join(', ')})`,
    );
  }
  return found;
}

/** Makes sure that there is one: Debian's where we may install it, else Playwright's own. */
function ensureChromium(): void {
  const found = candidates().find((path) => existsSync(path));
  if (found !== undefined) return say(`Chromium for tests: ${found}`);
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    say("Installing Debian's Chromium …");
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const options = ['-qq', '-o', 'Dpkg::Use-Pty=0'];
    run('apt-get', [...options, 'update'], env);
    if (run('apt-get', [...options, 'install', '-y', 'chromium'], env)) {
      return say(`Chromium for tests: ${chromiumPath()}`);
    }
  }
  say("Installing Playwright's Chromium …");
  if (!run('npx', ['playwright', 'install', 'chromium'], process.env)) process.exit(1);
  say(`Chromium for tests: ${chromiumPath()}`);
}

/** Runs quietly: what a failing command said is shown, what a good one said is not. */
function run(command: string, options: string[], env: NodeJS.ProcessEnv): boolean {
  const result = spawnSync(command, options, { env, encoding: 'utf8' });
  if (result.status !== 0) say(`${command} failed:\n${result.stdout}${result.stderr}`);
  return result.status === 0;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

if (import.meta.main) ensureChromium();
