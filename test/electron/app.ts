import { EventEmitter } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { takeLock } from './lock.ts';
import { utilityMetrics } from './utilityProcess.ts';

type PathName = 'home' | 'appData' | 'userData' | 'temp';

/** Resolves once, when the application is ready. */
const ready = Promise.withResolvers<void>();

/** The application's life: ready, windows closed, quit. */
class App extends EventEmitter {
  readonly isPackaged = false;
  readonly switches: string[] = [];
  readonly commandLine = {
    appendSwitch: (name: string, value?: string): void => {
      this.switches.push(value ? `--${name}=${value}` : `--${name}`);
    },
  };
  #name = 'electron';
  #paths: Partial<Record<PathName, string>> = {};
  #appPath = '';
  #ready = false;
  #quitting = false;
  #closeWindows: () => boolean = () => true;
  #onExit: () => void = () => undefined;

  /** Where the application lies, how its windows are closed, and what ends with it. */
  configure(appPath: string, closeWindows: () => boolean, onExit: () => void): void {
    this.#appPath = appPath;
    this.#closeWindows = closeWindows;
    this.#onExit = onExit;
  }

  becomeReady(): void {
    this.#ready = true;
    ready.resolve();
    this.emit('ready', {}, {});
  }

  whenReady(): Promise<void> {
    return ready.promise;
  }

  isReady(): boolean {
    return this.#ready;
  }

  getAppPath(): string {
    return this.#appPath;
  }

  getVersion(): string {
    const text = readFileSync(join(this.#appPath, 'package.json'), 'utf8');
    return (JSON.parse(text) as { version: string }).version;
  }

  setName(name: string): void {
    this.#name = name;
  }

  getName(): string {
    return this.#name;
  }

  setPath(name: PathName, path: string): void {
    if (!existsSync(path)) throw new Error(`Failed to set path: ${path}`);
    this.#paths[name] = path;
  }

  getPath(name: PathName): string {
    const known = this.#paths[name];
    if (known !== undefined) return known;
    switch (name) {
      case 'home':
        return homedir();
      case 'temp':
        return tmpdir();
      case 'appData':
        return process.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config');
      case 'userData': {
        const path = join(this.getPath('appData'), this.#name);
        mkdirSync(path, { recursive: true });
        return path;
      }
    }
  }

  enableSandbox(): void {}

  getAppMetrics(): object[] {
    return utilityMetrics();
  }

  requestSingleInstanceLock(): boolean {
    return takeLock(join(this.getPath('userData'), 'stand-in.lock'), (argv, cwd) =>
      this.emit('second-instance', {}, argv, cwd),
    );
  }

  windowsClosed(): void {
    if (this.#quitting) return;
    if (this.listenerCount('window-all-closed') > 0) this.emit('window-all-closed');
    else this.quit();
  }

  quit(): void {
    let prevented = false;
    const event = {
      preventDefault: (): void => {
        prevented = true;
      },
    };
    this.emit('before-quit', event);
    if (prevented) return;
    this.#quitting = true;
    if (this.#closeWindows()) this.emit('will-quit', event);
    else prevented = true;
    this.#quitting = false;
    if (!prevented) this.exit(0);
  }

  exit(code = 0): void {
    this.emit('quit', {}, code);
    this.#onExit();
    process.exit(code);
  }
}

export const app = new App();
