import { launchChromium, type Chromium } from './chromium.ts';

interface TargetInfo {
  targetId: string;
  openerId?: string;
}

let running: Chromium | null = null;
const popups = new Map<string, () => boolean>();

/** The application's Chromium; there is one from the moment it is ready. */
export function chromium(): Chromium {
  if (running === null) throw new Error('the application is not ready');
  return running;
}

/** Starts it. `onClosed` hears of each page that is gone. */
export async function startBrowser(
  switches: readonly string[],
  onClosed: (targetId: string) => void,
): Promise<void> {
  running = launchChromium(switches);
  running.listen('', (method, params) => {
    if (method === 'Target.targetDestroyed') onClosed(params['targetId'] as string);
    if (method === 'Target.targetCreated') refusePopup(params['targetInfo'] as TargetInfo);
  });
  await running.send('Target.setDiscoverTargets', { discover: true });
}

export function stopBrowser(): void {
  running?.kill();
  running = null;
}

/** Asks `mayKeep` about each window that the page with this id opens. */
export function onPopup(targetId: string, mayKeep: () => boolean): void {
  popups.set(targetId, mayKeep);
}

function refusePopup({ targetId, openerId }: TargetInfo): void {
  const mayKeep = popups.get(openerId ?? '');
  if (mayKeep === undefined || mayKeep()) return;
  // It may have closed itself by now.
  running?.send('Target.closeTarget', { targetId }).catch(() => undefined);
}
