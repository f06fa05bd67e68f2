import { bridgeName, type Bridge } from '../preload/contract/bridge.ts';
import { engineUrl, socketTransport } from './engine/browser.ts';
import { connect } from './engine/connection.ts';
import { desktopTransport } from './engine/desktop.ts';
import { storageMemory } from './state/memory.ts';
import { createStudio } from './state/studio.ts';
import { render } from './views/render.tsx';

declare global {
  interface Window {
    /** Put there by the preload script; absent in the browser shell. */
    readonly [bridgeName]?: Bridge;
  }
}

const bridge = window[bridgeName];

const studio = createStudio(
  connect(
    bridge ? desktopTransport(window, bridge) : socketTransport(engineUrl(window.location.href)),
  ),
  {
    memory: storageMemory(window.localStorage),
    frame: (then) => void requestAnimationFrame(then),
    host: {
      mac: /mac|darwin/i.test(bridge?.platform ?? navigator.platform),
      chooseFolder: bridge ? () => bridge.chooseFolder() : null,
      openExternal: (url) => {
        if (bridge) void bridge.openExternal(url);
        else window.open(url, '_blank', 'noopener,noreferrer');
      },
      copy: (text) => navigator.clipboard.writeText(text),
    },
  },
);

const root = document.querySelector('#root');
if (!root) throw new Error('the page has no #root');
render(root, studio);
