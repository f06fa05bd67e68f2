import { engineNames, openEngine } from './engines.ts';

/** What the bench asks of the process of one engine. */
export interface Ask {
  readonly prompt: readonly number[];
  readonly count: number;
}

const [wanted, folder, threads] = process.argv.slice(2);
const name = engineNames.find((engine) => engine === wanted);
if (!name) throw new Error(`no such engine: ${wanted}`);
const run = await openEngine[name](folder, Number(threads));
process.on('message', ({ prompt, count }: Ask) => {
  void run(prompt, count).then((sample) => process.send?.(sample));
});
process.send?.('ready');
