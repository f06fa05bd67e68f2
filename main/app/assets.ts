import { readFile, realpath } from 'node:fs/promises';
import { extname, join, relative, isAbsolute } from 'node:path';
import { pageHeaders } from '../../preload/contract/policy.ts';
import { isAppUrl } from './security.ts';

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.ttf': 'font/ttf',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
};

/**
 * Answers a request for a file of the page with the bytes under `root`, a content type from a
 * fixed table and the page's security headers. Anything outside the folder, also through a link,
 * and any type not in the table is 404; any method but GET and HEAD is 405.
 */
export async function serveAsset(root: string, request: Request): Promise<Response> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405);
  const path = await containedPath(root, request.url);
  const contentType = path === null ? undefined : contentTypes[extname(path)];
  if (path === null || contentType === undefined) return refuse(404);
  const headers = { ...pageHeaders, 'content-type': contentType };
  if (request.method === 'HEAD') return new Response(null, { headers });
  return new Response(await readFile(path), { headers });
}

const refuse = (status: number): Response => new Response(null, { status, headers: pageHeaders });

/** The real file behind the URL, or null when there is none inside the folder. */
async function containedPath(root: string, url: string): Promise<string | null> {
  if (!isAppUrl(url)) return null;
  let path: string;
  try {
    path = decodeURIComponent(new URL(url).pathname);
  } catch {
    return null; // a percent sign that starts no byte
  }
  if (path.includes('\0') || path.includes('\\') || path.includes(':')) return null;
  if (path === '/') path = '/index.html';
  try {
    const folder = await realpath(root);
    const file = await realpath(join(folder, path));
    const inside = relative(folder, file);
    if (inside === '' || inside.startsWith('..') || isAbsolute(inside)) return null;
    return file;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ENAMETOOLONG');
