import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Answer, Job } from './runModel.ts';

/** What became of a model: the child's answer, or how the child ended. */
export type Outcome =
  Answer | { readonly kind: 'crashed'; readonly signal: string } | { readonly kind: 'hung' };

/** Longer than any public model takes; a model that needs more hangs. */
const LIMIT_MS = 30_000;

/** Runs jobs in child processes, two at a time; a child that ends is replaced by another. */
export async function runAll(jobs: readonly Job[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    let child = start();
    while (next < jobs.length) {
      const index = next;
      next += 1;
      const job = jobs[index];
      if (job === undefined) break;
      const outcome = await runOne(child, job);
      outcomes[index] = outcome;
      if (outcome.kind === 'crashed' || outcome.kind === 'hung') child = start();
    }
    child.kill('SIGKILL');
  };
  await Promise.all([work(), work()]);
  return outcomes;
}

function start(): ChildProcess {
  const script = fileURLToPath(new URL('runModel.ts', import.meta.url));
  return fork(script, { stdio: 'ignore' });
}

function runOne(child: ChildProcess, job: Job): Promise<Outcome> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      finish({ kind: 'hung' });
      child.kill('SIGKILL');
    }, LIMIT_MS);
    const ended = (code: number | null, signal: string | null): void => {
      finish({ kind: 'crashed', signal: signal ?? `exit ${code ?? 'unknown'}` });
    };
    const answered = (answer: Answer): void => finish(answer);
    const finish = (outcome: Outcome): void => {
      clearTimeout(timer);
      child.off('exit', ended);
      child.off('message', answered);
      resolve(outcome);
    };
    child.once('exit', ended);
    child.once('message', answered);
    child.send(job);
  });
}
