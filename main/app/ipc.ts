import {
  BrowserWindow,
  dialog,
  ipcMain,
  type IpcMainEvent,
  type IpcMainInvokeEvent,
} from 'electron';
import * as z from 'zod';
import { bridgeChannels } from '../../preload/contract/bridge.ts';
import type { EngineSupervisor } from './engine.ts';
import { openExternalLink } from './guards.ts';
import { isTrustedSender } from './security.ts';

/** Answers the bridge, and nobody but the page's own top frame. */
export function answerBridge(engine: EngineSupervisor): void {
  ipcMain.on(bridgeChannels.connect, (event) => {
    if (isTrusted(event)) engine.connect(event.sender);
  });
  ipcMain.handle(bridgeChannels.chooseFolder, (event) => {
    refuseStrangers(event);
    return chooseFolder(BrowserWindow.fromWebContents(event.sender));
  });
  ipcMain.handle(bridgeChannels.openExternal, (event, url: unknown) => {
    refuseStrangers(event);
    return openExternalLink(z.string().max(8192).parse(url));
  });
}

const isTrusted = (event: IpcMainEvent | IpcMainInvokeEvent): boolean =>
  isTrustedSender(event.senderFrame);

function refuseStrangers(event: IpcMainInvokeEvent): void {
  if (!isTrusted(event)) {
    throw new Error(
      `only the page itself may ask: ${event.senderFrame?.url ?? 'a frame that left'}`,
    );
  }
}

async function chooseFolder(window: BrowserWindow | null): Promise<string | null> {
  const options = { title: 'Open a model folder', properties: ['openDirectory' as const] };
  const answer = window
    ? await dialog.showOpenDialog(window, options)
    : await dialog.showOpenDialog(options);
  return answer.canceled ? null : (answer.filePaths[0] ?? null);
}
