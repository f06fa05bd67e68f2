import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pageHeaders } from '../../preload/contract/policy.ts';
import { serveAsset } from '../../main/app/assets.ts';

let base: string;
let root: string;

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'assets-'));
  root = join(base, 'renderer');
  mkdirSync(join(root, 'assets'), { recursive: true });
  writeFileSync(join(root, 'index.html'), '<title>Lathe</title>');
  writeFileSync(join(root, 'assets', 'a b.js'), 'export {};');
  writeFileSync(join(root, 'assets', 'map.map'), '{}');
  mkdirSync(join(base, 'renderer-secret'));
  writeFileSync(join(base, 'renderer-secret', 'secret.json'), '{}');
  symlinkSync(join(base, 'renderer-secret', 'secret.json'), join(root, 'link.json'));
});

afterAll(() => rmSync(base, { recursive: true }));

const get = (url: string, method = 'GET'): Promise<Response> =>
  serveAsset(root, new Request(url, { method }));

test('serves a file with its content type and the page’s security headers', async () => {
  const response = await get('lathe://app/assets/a%20b.js');
  expect(await response.text()).toBe('export {};');
  expect(Object.fromEntries(response.headers)).toEqual({
    ...pageHeaders,
    'content-type': 'text/javascript; charset=utf-8',
  });
});

test('serves index.html at the root, whatever the query', async () => {
  expect(await (await get('lathe://app/?a=b#c')).text()).toBe('<title>Lathe</title>');
});

test.each([
  'lathe://app/../renderer-secret/secret.json',
  'lathe://app/..%2frenderer-secret%2fsecret.json',
  'lathe://app/%2e%2e/renderer-secret/secret.json',
  'lathe://app/..%5crenderer-secret%5csecret.json',
  'lathe://app/assets/..%2f..%2frenderer-secret/secret.json',
  'lathe://app/link.json',
  'lathe://app//etc/passwd',
  'lathe://app/index.html%00.js',
  'lathe://app/%zz.js',
  'lathe://app/C:/secret.json',
  'lathe://app/index.html/',
  'lathe://app/assets',
  'lathe://app/assets/map.map',
  'lathe://app/missing.js',
  `lathe://app/${'a'.repeat(5000)}.js`,
  'lathe://other/index.html',
])('gives nothing for %s', async (url) => {
  const response = await get(url);
  expect([response.status, await response.text()]).toEqual([404, '']);
});

test('answers HEAD without a body and refuses other methods', async () => {
  const head = await get('lathe://app/index.html', 'HEAD');
  expect([head.status, await head.text()]).toEqual([200, '']);
  expect((await get('lathe://app/index.html', 'POST')).status).toBe(405);
});
