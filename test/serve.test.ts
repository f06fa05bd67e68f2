import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/websocket';
import { implement } from '@orpc/server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { contract, type EngineClient } from '../preload/contract/index.ts';
import { contentSecurityPolicy } from '../preload/contract/policy.ts';
import { serve, type BrowserShell } from '../main/serve.ts';

let page: string;
let shell: BrowserShell;
let port: number;
let token: string;

beforeAll(async () => {
  page = mkdtempSync(join(tmpdir(), 'lathe-page-'));
  writeFileSync(join(page, 'index.html'), '<!doctype html><title>Lathe</title>');
  writeFileSync(join(page, '.hidden'), 'secret');
  mkdirSync(join(page, 'assets'));
  writeFileSync(join(page, 'assets', 'main.js'), 'export {};');
  const os = implement(contract);
  const preset = { name: 'Greedy', sampling: {}, maxTokens: 1, stop: [], builtIn: true };
  const router = { presets: { list: os.presets.list.handler(() => [preset]) } };
  shell = await serve({ engine: { router: router as never }, page });
  const url = new URL(shell.url);
  port = Number(url.port);
  token = url.searchParams.get('token') ?? '';
});
afterAll(async () => {
  await shell.close();
  rmSync(page, { recursive: true });
});

interface Answer {
  status: number | undefined;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, headers }, (answer) => {
      let body = '';
      answer.on('data', (piece) => (body += String(piece)));
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** `open`, or the status that refused the upgrade. */
function upgrade(query: string, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/engine${query}`, { headers });
    socket.once('open', () => {
      socket.close();
      resolve('open');
    });
    socket.once('unexpected-response', (_, answer) => resolve(String(answer.statusCode)));
    socket.once('error', reject);
  });
}

const right = (): string => `127.0.0.1:${port}`;

describe('the engine is reached only with the right host, origin and token', () => {
  const hosts: [string, () => string, boolean][] = [
    ['127.0.0.1 with port', right, true],
    ['localhost with port', () => `localhost:${port}`, true],
    ['127.0.0.1 without port', () => '127.0.0.1', false],
    ['another port', () => `127.0.0.1:${port + 1}`, false],
    ['a rebound name', () => `evil.example:${port}`, false],
    ['a name that begins like ours', () => `localhost.evil.example:${port}`, false],
    ['a user before the name', () => `localhost:${port}@evil.example`, false],
    ['decimal address', () => `2130706433:${port}`, false],
    ['all interfaces', () => `0.0.0.0:${port}`, false],
    ['IPv6 loopback', () => `[::1]:${port}`, false],
  ];
  const origins: [string, (host: string) => string | undefined, boolean][] = [
    ['none (a program)', () => undefined, true],
    ['this page', (host) => `http://${host}`, true],
    ['null (a hidden page)', () => 'null', false],
    ['another site', () => 'https://evil.example', false],
    ['another port here', () => `http://127.0.0.1:${port + 1}`, false],
    ['https here', (host) => `https://${host}`, false],
    ['this page with a path', (host) => `http://${host}/`, false],
    ['a file', () => 'file://', false],
  ];
  const tokens: [string, () => string, boolean][] = [
    ['right', () => `?token=${token}`, true],
    ['none', () => '', false],
    ['empty', () => '?token=', false],
    ['a beginning', () => `?token=${token.slice(0, -1)}`, false],
    ['too long', () => `?token=${token}x`, false],
    ['other case', () => `?token=${token.toLowerCase()}x`, false],
    ['given twice', () => `?token=${token}&token=${token}`, false],
  ];

  test.each(hosts)('host: %s', async (_, host, hostAllowed) => {
    for (const [origin, originOf, originAllowed] of origins) {
      for (const [tokenName, query, tokenAllowed] of tokens) {
        const given = originOf(host());
        const headers = { Host: host(), ...(given === undefined ? {} : { Origin: given }) };
        const expected = !hostAllowed || !originAllowed ? '403' : tokenAllowed ? 'open' : '401';
        const found = await upgrade(query(), headers);
        expect({ origin, tokenName, found }).toEqual({ origin, tokenName, found: expected });
      }
    }
  });

  test.each(hosts)('page files, host: %s', async (_, host, hostAllowed) => {
    for (const [origin, originOf, originAllowed] of origins) {
      const given = originOf(host());
      const headers = { Host: host(), ...(given === undefined ? {} : { Origin: given }) };
      const { status } = await get('/', headers);
      expect({ origin, status }).toEqual({
        origin,
        status: hostAllowed && originAllowed ? 200 : 403,
      });
    }
  });

  test('a request without a host is refused', async () => {
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.0\r\n\r\n'));
      let text = '';
      socket.on('data', (piece) => (text += String(piece)));
      socket.on('close', () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1\.\d 403/);
  });

  test('the token is drawn anew at every start and has 256 bits', async () => {
    const other = await serve({ engine: { router: {} as never }, page });
    const second = new URL(other.url).searchParams.get('token') ?? '';
    await other.close();
    expect(second).not.toBe(token);
    expect(Buffer.from(second, 'base64url')).toHaveLength(32);
  });
});

describe('the page', () => {
  test('comes with headers that let it load nothing but itself', async () => {
    const { headers, body } = await get('/?token=anything');
    expect(body).toContain('<title>Lathe</title>');
    expect(headers).toMatchObject({
      'content-security-policy': contentSecurityPolicy,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    });
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });

  test.each([
    ['/assets/main.js', 200],
    ['/.hidden', 403],
    ['/../package.json', 403],
    ['/%2e%2e/%2e%2e/etc/passwd', 403],
    ['/nowhere.js', 404],
  ])('%s answers %i', async (path, status) => {
    expect((await get(path)).status).toBe(status);
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('%s is answered by nothing', async (method) => {
    expect((await get('/', {}, method)).status).toBe(404);
  });

  test('that is not built is a typed error', async () => {
    await expect(
      serve({ engine: { router: {} as never }, page: '/nowhere' }),
    ).rejects.toMatchObject({ code: 'file_missing' });
  });
});

test('a port that is taken is a typed error', async () => {
  await expect(serve({ engine: { router: {} as never }, page, port })).rejects.toMatchObject({
    code: 'usage',
    data: { value: String(port) },
  });
});

test('the contract is spoken over the socket', async () => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/engine?token=${token}`);
  const link = new RPCLink({ websocket: socket as never });
  const client: EngineClient = createORPCClient(link);
  expect(await client.presets.list()).toMatchObject([{ name: 'Greedy' }]);
  socket.close();
});
