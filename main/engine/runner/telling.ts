import { createChannel } from '../channel.ts';

/** A sign of life comes at least this often while the event loop runs at all, in milliseconds. */
const heartbeatMs = 2000;

/**
 * Work that tells by calling back, as a stream that ends with its result. The latest progress is
 * told again and again, so that silence means that the process is stuck.
 */
export async function* telling<Told extends { kind: string }>(
  first: NoInfer<Told>,
  work: (tell: (event: Told) => void) => Promise<Told>,
): AsyncGenerator<Told> {
  const channel = createChannel<Told>();
  let latest: Told = first;
  const tell = (event: Told): void => {
    if (event.kind === 'progress') latest = event;
    channel.push(event);
  };
  const heart = setInterval(() => channel.push(latest), heartbeatMs);
  const run = async (): Promise<void> => {
    try {
      tell(await work(tell));
      channel.end();
    } catch (error) {
      channel.end(error);
    }
  };
  void run();
  try {
    yield* channel.read();
  } finally {
    clearInterval(heart);
  }
}

/** Time still to go, as the share done since now suggests; nothing before that can be said. */
export function clock(): (fraction: number) => { remainingMs?: number } {
  const start = performance.now();
  let first: number | null = null;
  return (fraction) => {
    first ??= fraction;
    const done = fraction - first;
    if (done < 0.02) return {};
    return { remainingMs: ((performance.now() - start) * (1 - fraction)) / done };
  };
}
