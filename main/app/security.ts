/** The page's own scheme: a real origin, unlike file://, and nothing else is served under it. */
export const appScheme = 'lathe';
const appHost = 'app';
export const appUrl = `${appScheme}://${appHost}/index.html`;

/** How the scheme behaves: an ordinary secure origin that may fetch its own files. */
export const appSchemePrivileges = {
  standard: true,
  secure: true,
  supportFetchAPI: true,
  codeCache: true,
} as const;

/**
 * Preferences of every window, all of Electron's checklist written out: a default that changes
 * with a version must not change what a page may do.
 */
export const webPreferences = {
  sandbox: true,
  contextIsolation: true,
  nodeIntegration: false,
  nodeIntegrationInWorker: false,
  nodeIntegrationInSubFrames: false,
  webSecurity: true,
  allowRunningInsecureContent: false,
  experimentalFeatures: false,
  webviewTag: false,
  navigateOnDragDrop: false,
  spellcheck: false,
} as const;

/** True for the files of the page itself, however the URL is written. */
export function isAppUrl(url: string): boolean {
  const parsed = URL.parse(url);
  return parsed?.protocol === `${appScheme}:` && parsed.host === appHost;
}

const externalSchemes = new Set(['https:', 'http:', 'mailto:']);

/** The one rule for what may leave for the system's browser: web and mail, without credentials. */
export function isExternalLink(url: string): boolean {
  const parsed = URL.parse(url);
  if (parsed === null || !externalSchemes.has(parsed.protocol)) return false;
  return parsed.username === '' && parsed.password === '';
}

interface SenderFrame {
  readonly url: string;
  readonly parent: SenderFrame | null;
}

/** A message is heard only from the top frame of the page itself. */
export function isTrustedSender(frame: SenderFrame | null): boolean {
  return frame !== null && frame.parent === null && isAppUrl(frame.url);
}
