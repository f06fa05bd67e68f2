import { join } from 'node:path';
import { chromium, type Page } from '@playwright/test';
import { createServer } from 'vite';
import { traceTasks } from '../app/mainThread.ts';
import { chromiumPath } from '../setup/chromium.ts';

/*
 * How smooth the Compare view is with 500 variants and 100,000 latency samples: frames per second
 * while the pointer moves, zooms and draws around dots, and how long the page's thread works.
 *
 *   node test/bench/compareFrames.ts
 *
 * Frames are counted by requestAnimationFrame over three seconds of each gesture, in Chromium
 * without a GPU. The clock also counts what else the machine does; work is that of the thread alone.
 */

const seconds = 3;
const least = 50;

type Gesture = (page: Page, step: number) => Promise<void>;

/** A curve over the whole chart. */
const place = (step: number): readonly [number, number] => [
  600 + 380 * Math.sin(step / 17),
  270 + 150 * Math.sin(step / 11),
];

const hover: Gesture = (page, step) => page.mouse.move(...place(step));

const zoom: Gesture = async (page, step) => {
  await page.mouse.move(...place(step / 8));
  await page.mouse.wheel(0, 60 * Math.sign(Math.sin(step / 20)));
};

interface Frames {
  readonly count: number;
  readonly perSecond: number;
  /** The longest pause between two frames, in milliseconds. */
  readonly longest: number;
  readonly slow: number;
}

/** What the page's thread worked, in milliseconds: on average for a frame, and at most at a time. */
interface Work {
  readonly perFrame: number;
  readonly most: number;
}

/** Counts frames while a gesture goes on. */
async function measure(page: Page, gesture: Gesture): Promise<Frames & Work> {
  let frames: Frames = { count: 0, perSecond: 0, longest: 0, slow: 0 };
  const tasks = await traceTasks(page, async () => {
    const counted = page.evaluate(
      (ms) =>
        new Promise<number[]>((resolve) => {
          const times: number[] = [];
          const start = performance.now();
          const frame = (now: number): void => {
            times.push(now);
            if (now - start < ms) requestAnimationFrame(frame);
            else resolve(times);
          };
          requestAnimationFrame(frame);
        }),
      seconds * 1000,
    );
    const end = performance.now() + seconds * 1000;
    for (let step = 0; performance.now() < end; step += 1) {
      // oxlint-disable-next-line no-await-in-loop -- a hand makes one movement after the other
      await gesture(page, step);
    }
    const times = await counted;
    const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    const span = (times.at(-1) ?? 0) - (times[0] ?? 0);
    frames = {
      count: pauses.length,
      perSecond: (pauses.length / span) * 1000,
      longest: Math.max(...pauses),
      slow: pauses.filter((pause) => pause > 1000 / least).length / pauses.length,
    };
  });
  const worked = tasks.map((task) => task.worked);
  return {
    ...frames,
    perFrame: worked.reduce((sum, ms) => sum + ms, 0) / frames.count,
    most: Math.max(...worked),
  };
}

const server = await createServer({
  configFile: join(import.meta.dirname, '../renderer/gallery/vite.config.ts'),
  // A file that changes meanwhile must not load the page anew.
  server: { port: 0, hmr: false, watch: null },
  logLevel: 'error',
});
await server.listen();
const address = server.resolvedUrls?.local[0];
if (address === undefined) throw new Error('the gallery has no address');
const browser = await chromium.launch({
  executablePath: chromiumPath(),
  args: ['--no-sandbox', '--disable-gpu'],
});
let isSmooth = true;
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(`${address}?many=500&samples=100000`);
  await page.getByRole('link', { name: 'Compare' }).click();
  await page.getByText('500 of 510 models have both').waitFor();
  await hover(page, 0);
  // What the first picture takes is not what moving takes.
  await page.waitForTimeout(1000);

  const gestures: readonly (readonly [string, Gesture, boolean])[] = [
    ['pointer moves', hover, false],
    ['wheel zooms', zoom, false],
    ['lasso is drawn', hover, true],
  ];
  for (const [name, gesture, isPressed] of gestures) {
    /* oxlint-disable no-await-in-loop -- one gesture after the other */
    if (isPressed) await page.mouse.down();
    const { perSecond, longest, slow, perFrame, most } = await measure(page, gesture);
    if (isPressed) await page.mouse.up();
    /* oxlint-enable no-await-in-loop */
    isSmooth &&= perSecond >= least;
    console.log(
      `${name.padEnd(16)} ${perSecond.toFixed(1).padStart(5)} frames/s, ` +
        `${(slow * 100).toFixed(1)} % of them later than ${1000 / least} ms, ` +
        `longest pause ${longest.toFixed(0)} ms; work per frame ${perFrame.toFixed(1)} ms, ` +
        `longest task ${most.toFixed(1)} ms`,
    );
  }
} finally {
  await browser.close();
  await server.close();
}
if (!isSmooth) {
  console.log(`fewer than ${least} frames per second`);
  process.exitCode = 1;
}
