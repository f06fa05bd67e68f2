import { contextBridge, ipcRenderer } from 'electron';
import { bridgeChannels, bridgeName, enginePortMessage, type Bridge } from './contract/bridge.ts';

// A port cannot cross the bridge as a value; a message of the window carries it.
ipcRenderer.on(enginePortMessage, (event) => {
  window.postMessage(enginePortMessage, window.location.origin, event.ports);
});

const bridge: Bridge = {
  connect: () => ipcRenderer.send(bridgeChannels.connect),
  chooseFolder: () => ipcRenderer.invoke(bridgeChannels.chooseFolder),
  openExternal: (url) => ipcRenderer.invoke(bridgeChannels.openExternal, url),
  platform: process.platform,
};
contextBridge.exposeInMainWorld(bridgeName, bridge);
