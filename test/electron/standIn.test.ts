import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { _electron, type ElectronApplication, type Page } from '@playwright/test';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const binary = join(import.meta.dirname, 'electron');
const fixture = join(import.meta.dirname, 'fixture');

/** What the fixture's page offers, as page.js and preload.cjs define it. */
interface FixturePage extends Window {
  early: unknown;
  ports: MessagePort[];
  closedPorts: number;
  ask(port: MessagePort | undefined, value: unknown): Promise<unknown>;
  fixture: {
    add(a: number, b: number): Promise<number>;
    fail(): Promise<void>;
    sender(): Promise<string>;
    connect(): void;
    twice(f: (value: number) => number, value: number): number;
    refuse(): void;
  };
}

interface FixtureMain {
  happened: unknown[];
  child: Electron.UtilityProcess;
}

const config = mkdtempSync(join(tmpdir(), 'stand-in-test-'));
const env = { ...process.env, XDG_CONFIG_HOME: config } as Record<string, string>;

const launch = (): Promise<ElectronApplication> =>
  _electron.launch({ executablePath: binary, args: [fixture], env });

async function firstPage(application: ElectronApplication): Promise<Page> {
  const page = await application.firstWindow();
  await page.waitForURL((url) => url.protocol !== 'about:');
  await page.waitForLoadState();
  return page;
}

/** What the fixture's main process has noted. */
const happened = (): Promise<unknown[]> =>
  app.evaluate(() => (globalThis as unknown as FixtureMain).happened);

let app: ElectronApplication;
let page: Page;

beforeAll(async () => {
  app = await launch();
  page = await firstPage(app);
});

afterAll(async () => {
  await app.close();
  rmSync(config, { recursive: true, force: true });
});

/** Connects the page to the utility process; gives the new port's index. */
async function connect(): Promise<number> {
  const index = await page.evaluate(() => {
    const window = globalThis as unknown as FixturePage;
    window.fixture.connect();
    return window.ports.length;
  });
  await page.waitForFunction(
    (count) => (globalThis as unknown as FixturePage).ports.length > count,
    index,
  );
  return index;
}

describe('the preload script', () => {
  test('runs before the page and exposes its bridge, but no require', async () => {
    expect(await page.evaluate(() => (globalThis as unknown as FixturePage).early)).toEqual({
      bridge: 'object',
      require: 'undefined',
    });
  });

  test('exposes what the page cannot change', async () => {
    const changed = await page.evaluate(() => {
      const { fixture: bridge } = globalThis as unknown as FixturePage;
      return Object.isFrozen(bridge) && !Reflect.set(globalThis, 'fixture', 1);
    });
    expect(changed).toBe(true);
  });

  test('passes functions across and throws on the caller’s side', async () => {
    const results = await page.evaluate(() => {
      const { fixture: bridge } = globalThis as unknown as FixturePage;
      const doubled = bridge.twice((value) => value * 2, 5);
      try {
        bridge.refuse();
        return [doubled, 'nothing thrown'];
      } catch (error) {
        return [doubled, String(error)];
      }
    });
    expect(results).toEqual([20, 'Error: not this way']);
  });
});

describe('ipc', () => {
  test('answers invoke and names the sending frame by the application’s URL', async () => {
    const answers = await page.evaluate(() => {
      const { fixture: bridge } = globalThis as unknown as FixturePage;
      return Promise.all([bridge.add(1, 2), bridge.sender()]);
    });
    expect(answers).toEqual([3, 'fixture://app/index.html']);
  });

  test('rejects with Electron’s wording when the handler throws', async () => {
    const message = await page.evaluate(() =>
      (globalThis as unknown as FixturePage).fixture.fail().catch(String),
    );
    expect(message).toBe("Error: Error invoking remote method 'fail': Error: no such folder");
  });
});

describe('ports', () => {
  test('carry typed arrays, maps and 4 MB between page and utility process', async () => {
    const index = await connect();
    const echoed = await page.evaluate(async (port) => {
      const window = globalThis as unknown as FixturePage;
      const sent = {
        floats: new Float32Array(1 << 20).fill(0.5),
        map: new Map([[1, new Set([2n])]]),
      };
      const got = (await window.ask(window.ports[port], sent)) as typeof sent;
      return [
        got.floats.constructor.name,
        got.floats.length,
        got.floats.at(-1),
        got.map.get(1)?.has(2n),
      ];
    }, index);
    expect(echoed).toEqual(['Float32Array', 1 << 20, 0.5, true]);
  });

  test('keep the order of messages', async () => {
    const index = await connect();
    const order = await page.evaluate(
      (port) =>
        new Promise<number[]>((resolve) => {
          const target = (globalThis as unknown as FixturePage).ports[port];
          const got: number[] = [];
          target?.addEventListener('message', ({ data }: MessageEvent<number>) => {
            got.push(data);
            if (got.length === 100) resolve(got);
          });
          for (let value = 0; value < 100; value += 1) target?.postMessage(value);
        }),
      index,
    );
    expect(order).toEqual(Array.from({ length: 100 }, (_, value) => value));
  });
});

describe('the page', () => {
  test('asks will-navigate about a link outside and stays where it was', async () => {
    const before = page.url();
    await page.click('#outside');
    await expect.poll(happened).toContainEqual(['will-navigate', 'https://outside.example/']);
    expect(page.url()).toBe(before);
  });

  test('reports a mail link as a navigation', async () => {
    await page.click('#mail');
    await expect.poll(happened).toContainEqual(['will-navigate', 'mailto:someone@example.org']);
  });

  test('asks the open handler about new windows and opens none that is denied', async () => {
    await page.click('#popup');
    await expect.poll(happened).toContainEqual(['open', 'https://popup.example/']);
    await expect.poll(() => app.windows().length).toBe(1);
  });

  test('goes on after asking for windows that are denied, and gets null for each', async () => {
    const opened = await page.evaluate(async () => {
      const { fixture: bridge } = globalThis as unknown as FixturePage;
      const results: unknown[] = [];
      for (let count = 0; count < 5; count += 1) {
        results.push(window.open('https://popup.example/'), await bridge.add(count, 0));
      }
      return results;
    });
    expect(opened).toEqual([null, 0, null, 1, null, 2, null, 3, null, 4]);
    await expect.poll(() => app.windows().length).toBe(1);
  });

  test('has the permissions that the request handler grants, and no others', async () => {
    const states = await page.evaluate(async () => {
      const names = ['notifications', 'geolocation', 'camera'] as PermissionName[];
      const asked = names.map((name) => navigator.permissions.query({ name }));
      return (await Promise.all(asked)).map((status) => status.state);
    });
    expect(states).toEqual(['granted', 'denied', 'denied']);
  });

  test('keeps the content security policy of its scheme', async () => {
    const refused = await page.evaluate(
      () =>
        new Promise<string>((resolve) => {
          document.addEventListener('securitypolicyviolation', (event) =>
            resolve(event.effectiveDirective),
          );
          const script = document.createElement('script');
          script.textContent = 'window.injected = true';
          document.head.append(script);
        }),
    );
    expect(refused).toBe('script-src-elem');
  });

  test('follows a link inside and gets its preload script again', async () => {
    await page.click('#inside');
    await page.waitForURL(/again/);
    const sum = await page.evaluate(() => (globalThis as unknown as FixturePage).fixture.add(2, 2));
    expect(sum).toBe(4);
  });
});

describe('the utility process', () => {
  test('knows that it is one and talks over its parent port', async () => {
    await app.evaluate(() => (globalThis as unknown as FixtureMain).child.postMessage('who?'));
    const pid = await app.evaluate(() => (globalThis as unknown as FixtureMain).child.pid);
    await expect
      .poll(happened)
      .toContainEqual(['utility says', { pid, type: 'utility', heard: 'who?' }]);
  });

  test('closes its ports in the page when it ends, and reports its code', async () => {
    const closed = await page.evaluate(() => (globalThis as unknown as FixturePage).closedPorts);
    await connect();
    await app.evaluate(() => (globalThis as unknown as FixtureMain).child.postMessage('exit'));
    await expect.poll(happened).toContainEqual(['utility exit', 7]);
    const closedPorts = (): Promise<number> =>
      page.evaluate(() => (globalThis as unknown as FixturePage).closedPorts);
    await expect.poll(closedPorts).toBeGreaterThan(closed);
  });
});

describe('the application', () => {
  test('wakes the first instance and gives a second one no lock', async () => {
    const second = spawn(binary, [fixture], { env, stdio: 'inherit' });
    const [code] = (await once(second, 'exit')) as [number | null];
    expect(code).toBe(0);
    await expect.poll(happened).toContainEqual(['second-instance', fixture]);
  });

  test('asks its windows before it quits, and stays when one refuses', async () => {
    const other = await _electron.launch({
      executablePath: binary,
      args: [fixture],
      env: { ...env, XDG_CONFIG_HOME: join(config, 'stays'), FIXTURE_STAYS: '1' },
    });
    await firstPage(other);
    await other.evaluate(({ app: asked }) => asked.quit());
    const noted = await other.evaluate(() => (globalThis as unknown as FixtureMain).happened);
    expect(noted).toContainEqual(['close']);
    const exited = once(other.process(), 'exit');
    await other.evaluate(({ app: asked }) => setImmediate(() => asked.exit(3)));
    expect(await exited).toEqual([3, null]);
  });

  test('quits when its last window closes', async () => {
    const other = await _electron.launch({
      executablePath: binary,
      args: [fixture],
      env: { ...env, XDG_CONFIG_HOME: join(config, 'other') },
    });
    const child = other.process();
    const exited = once(child, 'exit');
    await (await firstPage(other)).close();
    expect(await exited).toEqual([0, null]);
  });
});
