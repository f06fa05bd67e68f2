import { noMemory, storageMemory } from '../../../renderer/state/memory.ts';
import { createStudio } from '../../../renderer/state/studio.ts';
import { render } from '../../../renderer/views/render.tsx';
import { createFakeEngine, type FakeOptions } from '../fakeEngine.ts';
import { interruptedJob } from '../fakeJobs.ts';
import { benches, evaluations, manyVariants, oldBenches, variants } from '../fakeMeasurements.ts';

// What the page shows is said in its address: ?tokenMs=5&crashAfter=30&theme=dark&empty=1
const query = new URLSearchParams(window.location.search);
const number = (name: string): number | undefined =>
  query.has(name) ? Number(query.get(name)) : undefined;
const tokenMs = number('tokenMs');
const crashAfter = number('crashAfter');
const repeat = number('repeat');
const layerMs = number('layerMs');
const stepMs = number('stepMs');
const theme = query.get('theme');
const layers = number('layers');

const many = number('many');
const measured =
  many === undefined
    ? { models: variants, evaluations, benches: [...benches, ...oldBenches] }
    : manyVariants(many, number('samples'));

const options: FakeOptions = {
  ...(tokenMs !== undefined && { tokenMs }),
  ...(crashAfter !== undefined && { crashAfter }),
  ...(repeat !== undefined && {
    text: 'The robot went on and on and on through the garden and the rain. '.repeat(repeat),
  }),
  ...(layerMs !== undefined && { layerMs }),
  ...(stepMs !== undefined && { stepMs }),
  ...(layers !== undefined && { shape: { layers, heads: number('heads') ?? 8 } }),
  ...(query.has('interrupted') && { jobs: [interruptedJob] }),
  ...((query.has('measured') || many !== undefined) && measured),
  ...(query.has('empty') && { models: [] }),
  settings: { theme: theme === 'dark' || theme === 'light' ? theme : 'system' },
};
const engine = createFakeEngine(options);
const studio = createStudio(engine, {
  memory: query.has('remember') ? storageMemory(window.localStorage) : noMemory,
  frame: (then) => void requestAnimationFrame(then),
  host: {
    mac: false,
    chooseFolder: query.has('desktop') ? () => Promise.resolve('/models/SmolLM2-135M') : null,
    openExternal: () => {},
    copy: (text) => navigator.clipboard.writeText(text),
  },
});
Object.assign(window, { studio, engine });

const root = document.querySelector('#root');
if (root) render(root, studio);
