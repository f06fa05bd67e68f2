import type { Chromium } from './chromium.ts';
import type { WebContents } from './webContents.ts';

type RequestHandler = (
  contents: WebContents,
  permission: string,
  answer: (granted: boolean) => void,
) => void;
type CheckHandler = (contents: WebContents, permission: string) => boolean;

/** Electron's name of a permission → Chromium's. */
const permissions: readonly (readonly [string, string])[] = [
  ['geolocation', 'geolocation'],
  ['notifications', 'notifications'],
  ['media', 'camera'],
  ['media', 'microphone'],
  ['midi', 'midi'],
  ['clipboard-read', 'clipboard-read'],
  ['clipboard-sanitized-write', 'clipboard-write'],
  ['idle-detection', 'idle-detection'],
];

/**
 * Permissions as Electron decides them: by the application's handlers, and granted where there
 * are none. Chromium cannot ask us, so the answers are settled before a page loads.
 */
class Session {
  #onRequest: RequestHandler = (_contents, _permission, answer) => answer(true);
  #onCheck: CheckHandler = () => true;

  setPermissionRequestHandler(handler: RequestHandler): void {
    this.#onRequest = handler;
  }

  setPermissionCheckHandler(handler: CheckHandler): void {
    this.#onCheck = handler;
  }

  setDevicePermissionHandler(): void {}

  /** Tells Chromium what the handlers would say for pages of this origin. */
  async settle(chromium: Chromium, contents: WebContents, origin: string): Promise<void> {
    for (const [asked, name] of permissions) {
      let granted = false;
      this.#onRequest(contents, asked, (answer) => {
        granted = answer;
      });
      const setting = granted && this.#onCheck(contents, asked) ? 'granted' : 'denied';
      await chromium.send('Browser.setPermission', { permission: { name }, setting, origin });
    }
  }
}

export const session = { defaultSession: new Session() };
