import { randomBytes, timingSafeEqual, createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import fastifyWebsocket from '@fastify/websocket';
import { RPCHandler } from '@orpc/server/ws';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { LatheError } from '../preload/contract/errors.ts';
import { pageHeaders } from '../preload/contract/policy.ts';
import { typedArraySerializers } from '../preload/contract/transfer.ts';
import type { Engine } from './engine/engine.ts';
import { isCode } from './library/folders.ts';

export interface ServeOptions {
  readonly engine: Pick<Engine, 'router'>;
  /** The built page: `out/renderer`. */
  readonly page: string;
  /** 0 takes a free one. */
  readonly port?: number;
}

/** A running browser shell. */
export interface BrowserShell {
  /** What to open: `http://127.0.0.1:PORT/?token=…`. The page connects to `/engine?token=…`. */
  readonly url: string;
  close(): Promise<void>;
}

/** A page needs a handful. */
const mostConnections = 64;

/** A request to the engine is text of this size at most. */
const largestMessage = 8 * 2 ** 20;

/**
 * Serves the page and the engine on the loopback interface. The page's files are public; the
 * engine answers only a socket that names this host, comes from this page (or from no page) and
 * brings the token, which is drawn anew at every start.
 */
export async function serve({ engine, page, port = 0 }: ServeOptions): Promise<BrowserShell> {
  const index = join(page, 'index.html');
  if (!existsSync(index)) {
    throw new LatheError('file_missing', `the page is not built, run npm run build: ${index}`, {
      file: index,
    });
  }
  const token = randomBytes(32).toString('base64url');
  const server = fastify({
    requestTimeout: 10_000,
    keepAliveTimeout: 60_000,
    bodyLimit: 1024,
    forceCloseConnections: true,
  });
  server.addHook('onRequest', async (request, reply) => {
    void reply.headers(pageHeaders);
    if (!isAllowedHost(request) || !isAllowedOrigin(request)) {
      return refuse(request, reply, 403, 'Not for this host or origin.');
    }
  });
  server.server.maxConnections = mostConnections;
  await server.register(fastifyWebsocket, { options: { maxPayload: largestMessage } });
  await server.register(fastifyStatic, { root: page, index: 'index.html', dotfiles: 'deny' });
  serveEngine(server, engine, token);
  const address = await listen(server, port);
  return {
    url: `${address}/?token=${token}`,
    close: () => server.close(),
  };
}

async function listen(server: FastifyInstance, port: number): Promise<string> {
  try {
    return await server.listen({ host: '127.0.0.1', port });
  } catch (error) {
    if (!isCode(error, 'EADDRINUSE', 'EACCES')) throw error;
    const value = String(port);
    throw new LatheError('usage', `the port is taken or not allowed: ${port}`, { value });
  }
}

function serveEngine(server: FastifyInstance, engine: Pick<Engine, 'router'>, token: string): void {
  const handler = new RPCHandler(engine.router, { customJsonSerializers: typedArraySerializers });
  server.get(
    '/engine',
    {
      websocket: true,
      preValidation: async (request, reply) => {
        if (!isToken(tokenOf(request), token)) {
          return refuse(request, reply, 401, 'The token is missing or wrong.');
        }
      },
    },
    (socket) => void handler.upgrade(socket),
  );
}

/** Answers and hangs up: a socket that asked for an upgrade would otherwise stay open for ever. */
function refuse(
  { raw }: FastifyRequest,
  reply: FastifyReply,
  status: 401 | 403,
  reason: string,
): FastifyReply {
  reply.raw.once('finish', () => raw.socket.destroySoon());
  return reply.code(status).header('connection', 'close').type('text/plain').send(`${reason}\n`);
}

/** The names under which a browser may reach this server; any other name is somebody's trick. */
function allowedHosts(request: FastifyRequest): string[] {
  const { localPort } = request.socket;
  return [`127.0.0.1:${localPort}`, `localhost:${localPort}`];
}

function isAllowedHost(request: FastifyRequest): boolean {
  return allowedHosts(request).includes(request.headers.host ?? '');
}

/** Programs send no origin; a page must be ours. `null` is a page that hides where it is from. */
function isAllowedOrigin(request: FastifyRequest): boolean {
  const { origin } = request.headers;
  return origin === undefined || origin === `http://${request.headers.host}`;
}

function tokenOf(request: FastifyRequest): string {
  const tokens = new URL(request.url, 'http://localhost').searchParams.getAll('token');
  return tokens.length === 1 ? tokens[0] : '';
}

/** Takes the same time whatever the guess: only digests of equal length are compared. */
function isToken(guess: string, token: string): boolean {
  return timingSafeEqual(digest(guess), digest(token));
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
