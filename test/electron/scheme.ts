import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';

type Handler = (request: Request) => Response | Promise<Response>;

const handlers = new Map<string, Handler>();
let listening: Promise<number> | null = null;

/** Custom schemes, served to Chromium from loopback as http://<host>.<scheme>.localhost:<port>. */
export const protocol = {
  registerSchemesAsPrivileged(): void {},
  handle(scheme: string, handler: Handler): void {
    handlers.set(scheme, handler);
  },
};

/** The URL under which Chromium finds what the application calls `url`. */
export async function toChromium(url: string): Promise<string> {
  const { protocol: scheme, host, pathname, search, hash } = new URL(url);
  const name = scheme.slice(0, -1);
  if (!handlers.has(name)) return url;
  listening ??= listen();
  const port = await listening;
  return `http://${host}.${name}.localhost:${port}${pathname}${search}${hash}`;
}

/** The application's name for a URL of Chromium. */
export function fromChromium(url: string): string {
  const match = /^http:\/\/([^/]+)\.([a-z][a-z0-9+-]*)\.localhost:\d+(\/.*)?$/.exec(url);
  const [, host, scheme = '', rest = '/'] = match ?? [];
  return handlers.has(scheme) ? `${scheme}://${host}${rest}` : url;
}

function listen(): Promise<number> {
  const server = createServer((request, response) => void answer(request, response));
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    server.unref();
  });
}

async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const url = fromChromium(`http://${incoming.headers.host}${incoming.url}`);
  const handler = handlers.get(new URL(url).protocol.slice(0, -1));
  // Chromium asks every http site for an icon of its own accord, but no custom scheme.
  if (handler === undefined || incoming.url === '/favicon.ico') {
    return void outgoing.writeHead(404).end();
  }
  try {
    const response = await handler(new Request(url, { method: incoming.method ?? 'GET' }));
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    if (response.body) Readable.fromWeb(response.body as ReadableStream).pipe(outgoing);
    else outgoing.end();
  } catch (error) {
    process.stderr.write(`electron stand-in: ${url}: ${String(error)}\n`);
    outgoing.destroy();
  }
}
