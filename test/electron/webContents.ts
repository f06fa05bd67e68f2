import { EventEmitter } from 'node:events';
import { createCodec } from './codec.ts';
import { ipcMain } from './ipcMain.ts';
import type { FromPage } from './page.ts';
import { closeFromRemote, sendFromRemote, type MessagePortMain } from './ports.ts';
import { fromChromium } from './scheme.ts';
import type { Target, TargetEvents } from './target.ts';

type OpenHandler = (details: { url: string }) => { action: 'deny' | 'allow' };

const codec = createCodec();
let count = 0;

/** The page of a window, as the application sees it. */
export class WebContents extends EventEmitter {
  readonly id: number;
  readonly mainFrame = { url: '', parent: null };
  readonly #close: () => void;
  #target: Target | null = null;
  #destroyed = false;
  #onOpen: OpenHandler = () => ({ action: 'allow' });
  #ports = new Set<number>();

  constructor(close: () => void) {
    super();
    count += 1;
    this.id = count;
    this.#close = close;
  }

  get targetId(): string | undefined {
    return this.#target?.id;
  }

  attach(target: Target): void {
    this.#target = target;
  }

  postMessage(channel: string, message: unknown, transfer: readonly MessagePortMain[] = []): void {
    const ports = transfer.map((port) => port.id);
    const value = codec.encode([message]);
    this.#target?.post({ kind: 'send', channel, value, ports });
    for (const port of transfer) {
      this.#ports.add(port.id);
      port.moveTo({
        message: (id, data) =>
          this.#target?.post({ kind: 'port', port: id, value: codec.encode(data) }),
        close: (id) => this.#target?.post({ kind: 'port-close', port: id }),
      });
    }
  }

  setWindowOpenHandler(handler: OpenHandler): void {
    this.#onOpen = handler;
  }

  executeJavaScript(code: string): Promise<unknown> {
    return this.#target?.evaluate(code) ?? Promise.reject(new Error('the page has not loaded'));
  }

  reload(): void {
    this.#target?.reload();
  }

  close(): void {
    this.#close();
  }

  isDestroyed(): boolean {
    return this.#destroyed;
  }

  destroy(): void {
    this.#destroyed = true;
    this.#dropPorts();
    this.emit('destroyed');
  }

  /** What the target tells, as Electron's events. */
  targetEvents(): TargetEvents {
    return {
      fromPage: (message) => this.#hear(message),
      navigated: (url) => {
        this.mainFrame.url = fromChromium(url);
        this.emit('did-navigate', {}, this.mainFrame.url);
      },
      loaded: () => this.emit('did-finish-load'),
      mayNavigate: (url) => {
        let allowed = true;
        const preventDefault = (): void => {
          allowed = false;
        };
        this.emit('will-navigate', { preventDefault }, fromChromium(url));
        return allowed;
      },
      mayOpen: (url) => this.#onOpen({ url: fromChromium(url) }).action === 'allow',
      contextLost: () => this.#dropPorts(),
      crashed: () => this.emit('render-process-gone', {}, { reason: 'crashed', exitCode: 1 }),
    };
  }

  #hear(message: FromPage): void {
    const event = { sender: this, senderFrame: this.mainFrame };
    switch (message.kind) {
      case 'send':
        ipcMain.emit(message.channel, event, ...(codec.decode(message.value) as unknown[]));
        return;
      case 'invoke':
        void this.#answer(message, event);
        return;
      case 'port':
        sendFromRemote(message.port, codec.decode(message.value));
    }
  }

  async #answer(
    message: { id: number; channel: string; value: string },
    event: object,
  ): Promise<void> {
    const { id, channel } = message;
    try {
      const values = codec.decode(message.value) as unknown[];
      const value = codec.encode(await ipcMain.answer(channel, event, values));
      this.#target?.post({ kind: 'resolve', id, value });
    } catch (error) {
      this.#target?.post({ kind: 'reject', id, value: codec.encode(String(error)) });
    }
  }

  #dropPorts(): void {
    closeFromRemote(this.#ports);
    this.#ports.clear();
  }
}
