import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium, type Page } from '@playwright/test';
import { writeDeepModel } from '../app/deepModel.ts';
import { traceTasks } from '../app/mainThread.ts';
import { openModel, typePrompt, view } from '../app/playground.ts';
import { descendants } from '../app/processes.ts';
import { chromiumPath } from '../setup/chromium.ts';
import { untilQuiet, withForeignLoad } from './load.ts';

/**
 * How fast the view that looks inside is: 24 layers × 16 heads × 512 tokens through the whole
 * application in a browser. `node test/bench/inspectFrames.ts`, after `npm run build`.
 */
const shape = { layers: 24, heads: 16, tokens: 512 };
const moves = 120;

const root = join(import.meta.dirname, '../..');
const home = mkdtempSync(join(tmpdir(), 'lathe-frames-'));
const child = spawn(
  process.execPath,
  ['main/cli.ts', 'studio', '--browser', '--no-open', '--home', join(home, 'library')],
  { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
);
const browser = await chromium.launch({ executablePath: chromiumPath() });
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(await addressOf());
  const folder = join(home, 'wide');
  writeDeepModel(folder, shape.layers, shape.heads);
  await openModel(page, folder, 'wide');
  await view(page, 'Inspect').click();
  await page.getByRole('combobox', { name: 'Model' }).click();
  await page.getByRole('option', { name: 'wide' }).click();
  await fillContext(page);

  // The first capture loads the model; the second is what one waits for while one works.
  for (const round of ['first', 'second', 'third']) {
    await untilQuiet(5000);
    const own = [process.pid, ...descendants(process.pid).map(({ pid }) => pid)];
    const { result, foreign } = await withForeignLoad(own, () => sheetAfterCapture(page));
    console.log(
      `${round} capture, ${result.tokens}: the sheet is drawn ${result.ms.toFixed(0)} ms after it ` +
        `ends; other processes took ${(foreign * 100).toFixed(0)} % of the processors meanwhile`,
    );
  }
  await untilQuiet(5000);
  console.log(await framesOver(page, 'Heads, layer by layer', 'the sheet'));
  console.log(await framesOver(page, /^Map of/, 'the large map'));
} finally {
  await browser.close();
  child.kill('SIGINT');
  await new Promise((resolve) => child.once('exit', resolve));
  rmSync(home, { recursive: true, force: true });
}

async function addressOf(): Promise<string> {
  for await (const line of createInterface(child.stdout)) {
    const [address] = /http:\/\/\S+/.exec(line) ?? [];
    if (address) return address;
  }
  throw new Error('the browser shell ended without an address');
}

/** A text of as many tokens as are wanted, found by the count that the view shows. */
async function fillContext(page: Page): Promise<void> {
  const words = ['the', 'little', 'fox', 'saw', 'a', 'red', 'ball', 'and', 'ran', 'to'];
  const write = async (count: number): Promise<number> => {
    const text = Array.from({ length: count }, (_, at) => words[(at * 7 + (at >> 3)) % 10]).join(
      ' ',
    );
    await typePrompt(page, '');
    await page.keyboard.press('Delete');
    await page.keyboard.insertText(text);
    await page.waitForTimeout(1500);
    const shown = await page.getByText(/^[\d,]+ tokens$/).textContent();
    return Number((shown ?? '').replaceAll(/\D/g, ''));
  };
  const first = await write(400);
  await write(Math.round((400 * shape.tokens) / first));
}

/** Milliseconds from the end of a capture, as the page learns of it, to the first picture. */
async function sheetAfterCapture(page: Page): Promise<{ tokens: string; ms: number }> {
  // What the capture before left goes first.
  const measured = page.evaluate(async () => {
    let end: number | null = null;
    let hasGone = false;
    for (;;) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      const told = [...document.querySelectorAll('span')].find(({ textContent }) =>
        /^[\d,]+ tokens captured$/.test(textContent),
      );
      if (!told) hasGone = true;
      if (!told || !hasGone) continue;
      end ??= performance.now();
      const canvas = document.querySelector<HTMLCanvasElement>(
        'canvas[aria-label^="Attention patterns"]',
      );
      const density = window.devicePixelRatio;
      const pixel = canvas?.getContext('2d')?.getImageData(40 * density, 32 * density, 1, 1);
      if ((pixel?.data[3] ?? 0) === 0) continue;
      return { tokens: told.textContent, ms: performance.now() - end };
    }
  });
  await page.keyboard.press('ControlOrMeta+Enter');
  return measured;
}

/** Moves the pointer over a picture and says how the page kept up. */
async function framesOver(page: Page, name: string | RegExp, what: string): Promise<string> {
  const box = await page.getByRole('group', { name }).boundingBox();
  if (!box) throw new Error(`there is no ${what}`);
  const frames = page.evaluate(async (count) => {
    const times: number[] = [];
    for (let index = 0; index < count; index += 1) {
      times.push(await new Promise<number>((resolve) => requestAnimationFrame(resolve)));
    }
    return times.slice(1).map((time, index) => time - (times[index] ?? time));
  }, moves);
  const tasks = await traceTasks(page, async () => {
    for (let index = 0; index < moves; index += 1) {
      const angle = (index / moves) * 2 * Math.PI;
      await page.mouse.move(
        box.x + box.width * (0.5 + 0.3 * Math.cos(angle)),
        box.y + box.height * (0.5 + 0.3 * Math.sin(angle)),
      );
    }
  });
  const sorted = (await frames).toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  const worked = tasks.map((task) => task.worked).toSorted((a, b) => a - b);
  const longest = worked.at(-1) ?? 0;
  return (
    `pointer over ${what}: median frame ${at(0.5).toFixed(1)} ms (${(1000 / at(0.5)).toFixed(0)} a ` +
    `second), P95 ${at(0.95).toFixed(1)} ms; ${(worked.reduce((a, b) => a + b, 0) / moves).toFixed(1)} ms ` +
    `of work per move, the longest task worked ${longest.toFixed(1)} ms`
  );
}
