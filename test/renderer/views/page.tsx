import { configure, render } from '@testing-library/react';
import { noMemory } from '../../../renderer/state/memory.ts';
import { createStudio } from '../../../renderer/state/studio.ts';
import { App } from '../../../renderer/views/shell/App.tsx';
import { createFakeEngine, type FakeOptions } from '../fakeEngine.ts';

/** Adds what jsdom leaves out of a browser's layout. */
export function preparePage(): void {
  // A machine that does other things as well takes longer; nothing here is about speed.
  configure({ asyncUtilTimeout: 10_000 });
  window.matchMedia = (query) => ({
    matches: false,
    media: query,
    onchange: null,
    addEventListener: () => {},
    removeEventListener: () => {},
    addListener: () => {},
    removeListener: () => {},
    dispatchEvent: () => false,
  });
  globalThis.ResizeObserver = class {
    observe(): void {}
    unobserve(): void {}
    disconnect(): void {}
  };
  const box = new DOMRect(0, 0, 8, 24);
  Element.prototype.getClientRects = () => Object.assign([box], { item: () => box });
  Element.prototype.getBoundingClientRect = () => box;
  Element.prototype.scrollIntoView = () => {};
  Object.defineProperty(Element.prototype, 'clientWidth', { get: () => 1024 });
  Object.defineProperty(Element.prototype, 'clientHeight', { get: () => 768 });
}

/** What pages copied, the newest last. */
export const copied: string[] = [];

/** Opens the window on an engine without a model. */
export function openPage(options: FakeOptions = {}) {
  const engine = createFakeEngine(options);
  const studio = createStudio(engine, {
    memory: noMemory,
    frame: (then) => void setTimeout(then, 0),
    host: {
      mac: false,
      chooseFolder: null,
      openExternal: () => {},
      copy: async (text) => void copied.push(text),
    },
  });
  render(<App studio={studio} />);
  return { engine, studio };
}
