import { shell, type Session, type WebContents } from 'electron';
import { isAppUrl, isExternalLink } from './security.ts';

/** Hands a link to the system's browser if the rule allows it; every such way out passes here. */
export async function openExternalLink(url: string): Promise<boolean> {
  if (!isExternalLink(url)) return false;
  await shell.openExternal(url);
  return true;
}

function stayOnPage(event: { preventDefault(): void }, url: string): void {
  if (isAppUrl(url)) return;
  event.preventDefault();
  void openExternalLink(url);
}

/** Keeps a page where it is: links leave for the browser, windows and frames do not open. */
export function guardContents(contents: WebContents): void {
  contents.on('will-navigate', stayOnPage);
  contents.on('will-redirect', stayOnPage);
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.setWindowOpenHandler(({ url }) => {
    void openExternalLink(url);
    return { action: 'deny' };
  });
}

/** Copying is what the copy buttons do; the page needs no camera, place or device. */
const isAllowed = (permission: string): boolean => permission === 'clipboard-sanitized-write';

/** Refuses every other permission, because Electron's default grants them all. */
export function denyPermissions(session: Session): void {
  session.setPermissionRequestHandler((_contents, permission, answer) =>
    answer(isAllowed(permission)),
  );
  session.setPermissionCheckHandler((_contents, permission) => isAllowed(permission));
  session.setDevicePermissionHandler(() => false);
}
